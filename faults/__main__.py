# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m faults [--seed S] [--number N] [--only K]``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from faults import drive, judge, schedule, world
from faults.nursery import nursery
from lab import Lab
from lab.image import build_tar, unpack

# Of configs and processes, which differ from run to run.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{2,}")

# Set in the mount namespace in which everything happens.
INSIDE = "FAULTS_INSIDE"


def main(arguments: list[str] | None = None) -> int:
    """Run the schedules; 0 when nothing was lost, duplicated, run twice or unanswered."""
    options = _parser().parse_args(arguments)
    if options.show:
        for number in _numbers(options):
            print("\n".join(schedule.make(options.seed, number).lines()))
        return 0
    print(f"seed {options.seed}, {len(_numbers(options))} schedules, {options.jobs} at a time")
    with _folder(options.directory) as folder, Lab(options.lab or folder / "lab") as lab:
        report = Report(options.seed)
        for outcome in _outcomes(lab, options, folder):
            report.add(outcome)
    return report.end()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    now = int(time.time())
    parser.add_argument("--seed", type=int, default=now, help="which schedules (the clock)")
    parser.add_argument("--number", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--only", type=int, metavar="K", help="this one alone, with its history")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    parser.add_argument("--lab", type=Path, help="the directory of a lab that is up")
    parser.add_argument("--directory", type=Path, help="where to work (a temporary folder)")
    parser.add_argument("--show", action="store_true", help="print the schedules, run none")
    return parser


def _numbers(options: argparse.Namespace) -> list[int]:
    return list(range(options.number)) if options.only is None else [options.only]


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The folder to work in; short, because sockets are in it."""
    made = Path(tempfile.mkdtemp(prefix="faults-", dir=given))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _outcomes(lab: Lab, options: argparse.Namespace, folder: Path) -> Iterator[drive.Outcome]:
    """Run the schedules, some at a time, each in a place that is free."""
    numbers = _numbers(options)
    jobs = min(options.jobs, len(numbers))
    schedules = [schedule.make(options.seed, number) for number in numbers]
    image = _image() if any(each.family == schedule.REBOOT for each in schedules) else Path()
    with world.places(lab, jobs) as places, nursery(folder) as started:
        free: SimpleQueue[world.Place] = SimpleQueue()
        for place in places:
            free.put(place)

        def run(made: schedule.Schedule) -> drive.Outcome:
            place = free.get()
            try:
                return drive.run(made, place, started, folder / f"schedule-{made.number}", image)
            finally:
                free.put(place)

        with ThreadPoolExecutor(len(places)) as pool:
            yield from _as_they_come(pool.map(run, schedules), options.only is not None)


def _image() -> Path:
    """What the booted servers are booted from; built when there is none."""
    return unpack(build_tar())


def _as_they_come(outcomes: Iterable[drive.Outcome], tell_all: bool) -> Iterator[drive.Outcome]:
    for outcome in outcomes:
        if tell_all and not outcome.problems:
            print("\n".join(outcome.history))
        yield outcome


class Report:
    """What is printed while it goes on and at the end."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._crashes: set[str] = set()
        self._befell: Counter[str] = Counter()

    def add(self, outcome: drive.Outcome) -> None:
        """Count a schedule; tell everything about it if something is wrong."""
        self._counts["schedules"] += 1
        self._counts["deployments"] += len(outcome.orders)
        self._crashes |= {_ID.sub("ID", crash) for crash in outcome.crashes}
        self._befell += outcome.befell
        for kind in (*judge.KINDS, judge.WINDOW):
            self._counts[kind] += outcome.count(kind)
        if outcome.problems:
            self._tell(outcome)
        if self._counts["schedules"] % 10 == 0:
            print(f"{time.monotonic() - self._began:7.1f} s  {self._line()}", flush=True)

    def end(self) -> int:
        """Print the last lines; return the exit status."""
        faults = (f"{step} {count}" for step, count in sorted(self._befell.items()))
        print(f"requests: {', '.join(faults)}")
        print(f"crashes: at {len(self._crashes)} different operations on files")
        print(f"window: {self._counts[judge.WINDOW]}")
        print(self._line(), flush=True)
        return 1 if any(self._counts[kind] for kind in judge.KINDS) else 0

    def _line(self) -> str:
        names = ("schedules", "deployments", *judge.KINDS)
        return ", ".join(f"{name}: {self._counts[name]}" for name in names)

    def _tell(self, outcome: drive.Outcome) -> None:
        print("=" * 100)
        print("\n".join(outcome.history))
        for problem in outcome.problems:
            print(f"{problem.kind.upper()}: {problem.token}: {problem.why}")
        number = outcome.schedule.number
        print(f"to repeat it: python -m faults --seed {self._seed} --only {number}")
        print("=" * 100, flush=True)


def _in_own_namespace() -> None:
    """Start again where what is mounted is seen by nobody else and goes with this program."""
    os.environ[INSIDE] = "1"
    command = ["unshare", "--mount", "--propagation=private", sys.executable, "-m", "faults"]
    os.execvp(command[0], [*command, *sys.argv[1:]])  # noqa: S606 - no shell


if __name__ == "__main__":
    if INSIDE not in os.environ:
        _in_own_namespace()
    sys.exit(main())
