# SPDX-License-Identifier: Apache-2.0
"""What the command lines have in common: options, a folder, and schedules run side by side."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Generic, TypeVar

from faults.drive import Outcome
from faults.nursery import Nursery, nursery
from faults.report import Report
from faults.schedule import Schedule
from lab import Lab

# Set in the mount namespace in which everything happens.
INSIDE = "FAULTS_INSIDE"

_Schedule = TypeVar("_Schedule", bound=Schedule)
_Place = TypeVar("_Place")


@dataclass(frozen=True)
class Direction(Generic[_Schedule, _Place]):
    """Results on their way out, or metadata on its way in."""

    module: str
    """What ``python -m`` starts."""
    description: str | None
    program: str
    """The program that is started; see faults.nursery."""
    number: int
    """How many schedules are run when none is said."""
    counted: Sequence[str]
    """What is only counted."""
    kinds: Sequence[str]
    """What must be zero."""
    apart: Sequence[str]
    """What is counted and printed in lines of its own."""
    make: Callable[[int, int], _Schedule]
    """Draws a schedule, from a seed and its number."""
    places: Callable[[Lab, int], AbstractContextManager[list[_Place]]]
    driver: Callable[[Sequence[_Schedule]], Callable[[_Schedule, _Place, Nursery, Path], Outcome]]
    """Gets what these schedules need, and returns what plays one of them."""

    def report(self, seed: int, *, tells_all: bool = False) -> Report:
        """What this direction counts."""
        command = f"python -m {self.module} --seed {seed}"
        return Report(command, self.counted, self.kinds, self.apart, tells_all=tells_all)


def main(direction: Direction[_Schedule, _Place], arguments: list[str] | None = None) -> int:
    """Run the schedules; 0 when nothing is wrong with any of them."""
    options = _parser(direction).parse_args(arguments)
    numbers = range(options.number) if options.only is None else [options.only]
    schedules = [direction.make(options.seed, number) for number in numbers]
    if options.show:
        for made in schedules:
            print("\n".join(made.lines()))
        return 0
    print(f"seed {options.seed}, {len(schedules)} schedules, {options.jobs} at a time")
    report = direction.report(options.seed, tells_all=options.only is not None)
    with _working_folder(options.directory) as folder, Lab(options.lab or folder / "lab") as lab:
        for outcome in _outcomes(direction, lab, schedules, options.jobs, folder):
            report.add(outcome)
    return report.end()


def in_own_namespace(module: str) -> None:
    """Start again where what is mounted is seen by nobody else and goes with this program."""
    if INSIDE in os.environ:
        return
    os.environ[INSIDE] = "1"
    command = ["unshare", "--mount", "--propagation=private", sys.executable, "-m", module]
    os.execvp(command[0], [*command, *sys.argv[1:]])  # noqa: S606 - no shell


def in_places(
    run: Callable[[_Schedule, _Place], Outcome],
    schedules: Sequence[_Schedule],
    places: Sequence[_Place],
) -> Iterator[Outcome]:
    """Run the schedules, each in a place that is free; their outcomes come in their order."""
    free: SimpleQueue[_Place] = SimpleQueue()
    for place in places:
        free.put(place)

    def in_a_free_one(schedule: _Schedule) -> Outcome:
        place = free.get()
        try:
            return run(schedule, place)
        finally:
            free.put(place)

    with ThreadPoolExecutor(len(places)) as pool:
        yield from pool.map(in_a_free_one, schedules)


def _parser(direction: Direction[_Schedule, _Place]) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"python -m {direction.module}", description=direction.description
    )
    add = made.add_argument
    add("--seed", type=int, default=int(time.time()), help="which schedules (the clock)")
    add("--number", type=int, default=direction.number, help="how many (%(default)s)")
    add("--only", type=int, metavar="K", help="this one alone, with its history")
    add("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    add("--lab", type=Path, help="the directory of a lab that is up")
    add("--directory", type=Path, help="where to work (a temporary folder)")
    add("--show", action="store_true", help="print the schedules, run none")
    return made


@contextmanager
def _working_folder(above: Path | None) -> Iterator[Path]:
    """The folder to work in; short, because sockets are in it."""
    made = Path(tempfile.mkdtemp(prefix="faults-", dir=above))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _outcomes(
    direction: Direction[_Schedule, _Place],
    lab: Lab,
    schedules: list[_Schedule],
    jobs: int,
    folder: Path,
) -> Iterator[Outcome]:
    play = direction.driver(schedules)
    with (
        direction.places(lab, min(jobs, len(schedules))) as places,
        nursery(folder, direction.program) as started,
    ):

        def run(made: _Schedule, place: _Place) -> Outcome:
            return play(made, place, started, folder / f"schedule-{made.number}")

        yield from in_places(run, schedules, places)
