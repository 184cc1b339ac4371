# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m faults.metadata [--seed S] [--number N] [--only K]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from faults import running
from faults.metadata import drive, schedule, world
from faults.nursery import nursery
from faults.report import Report
from lab import Lab

TOLD = ("posted", "runs", "killed", "applied")


def main() -> int:
    """Run the schedules; 0 when the newest was applied in each, and nothing older after it."""
    options = running.parser("faults.metadata", __doc__, 500).parse_args()
    schedules = [schedule.make(options.seed, number) for number in running.numbers(options)]
    print(f"seed {options.seed}, {len(schedules)} schedules, {options.jobs} at a time")
    command = f"python -m faults.metadata --seed {options.seed}"
    report = Report(command, TOLD, drive.KINDS, tells_all=options.only is not None)
    with running.working_folder(options) as folder, Lab(options.lab or folder / "lab") as lab:
        for outcome in _outcomes(lab, options, schedules, folder):
            report.add(outcome)
    return report.end()


def _outcomes(
    lab: Lab, options: argparse.Namespace, schedules: list[schedule.Schedule], folder: Path
) -> Iterator[drive.Outcome]:
    jobs = min(options.jobs, len(schedules))
    with world.places(lab, jobs) as places, nursery(folder, "heat-config-collect") as started:

        def run(made: schedule.Schedule, place: world.Place) -> drive.Outcome:
            return drive.run(made, place, started, folder / f"schedule-{made.number}")

        yield from running.in_places(run, schedules, places)


if __name__ == "__main__":
    sys.exit(main())
