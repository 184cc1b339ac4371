# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m faults [--seed S] [--number N] [--only K]``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from faults import drive, judge, running, schedule, world
from faults.nursery import nursery
from faults.report import Report
from lab import Lab
from lab.image import build_tar, unpack

# Set in the mount namespace in which everything happens.
INSIDE = "FAULTS_INSIDE"


def main(arguments: list[str] | None = None) -> int:
    """Run the schedules; 0 when nothing was lost, duplicated, run twice or unanswered."""
    parser = running.parser("faults", __doc__, 200)
    parser.add_argument("--show", action="store_true", help="print the schedules, run none")
    options = parser.parse_args(arguments)
    schedules = [schedule.make(options.seed, number) for number in running.numbers(options)]
    if options.show:
        for made in schedules:
            print("\n".join(made.lines()))
        return 0
    print(f"seed {options.seed}, {len(schedules)} schedules, {options.jobs} at a time")
    found = report(options.seed, tells_all=options.only is not None)
    with running.working_folder(options) as folder, Lab(options.lab or folder / "lab") as lab:
        for outcome in _outcomes(lab, options, schedules, folder):
            found.add(outcome)
    return found.end()


def report(seed: int, *, tells_all: bool = False) -> Report:
    """What this command line counts."""
    command = f"python -m faults --seed {seed}"
    told, apart = ["deployments"], [judge.WINDOW]
    return Report(command, told, judge.KINDS, apart, tells_all=tells_all)


def _outcomes(
    lab: Lab, options: argparse.Namespace, schedules: list[schedule.Schedule], folder: Path
) -> Iterator[drive.Outcome]:
    jobs = min(options.jobs, len(schedules))
    image = _image() if any(each.family == schedule.REBOOT for each in schedules) else Path()
    with world.places(lab, jobs) as places, nursery(folder) as started:

        def run(made: schedule.Schedule, place: world.Place) -> drive.Outcome:
            return drive.run(made, place, started, folder / f"schedule-{made.number}", image)

        yield from running.in_places(run, schedules, places)


def _image() -> Path:
    """What the booted servers are booted from; built when there is none."""
    return unpack(build_tar())


def _in_own_namespace() -> None:
    """Start again where what is mounted is seen by nobody else and goes with this program."""
    os.environ[INSIDE] = "1"
    command = ["unshare", "--mount", "--propagation=private", sys.executable, "-m", "faults"]
    os.execvp(command[0], [*command, *sys.argv[1:]])  # noqa: S606 - no shell


if __name__ == "__main__":
    if INSIDE not in os.environ:
        _in_own_namespace()
    sys.exit(main())
