# SPDX-License-Identifier: Apache-2.0
"""What the command lines have in common: options, a folder, and schedules run side by side."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

_Schedule = TypeVar("_Schedule")
_Place = TypeVar("_Place")
_Outcome = TypeVar("_Outcome")


def parser(module: str, description: str | None, number: int) -> argparse.ArgumentParser:
    """The options that each has; ``number`` is how many schedules are run when none is said."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    add = made.add_argument
    add("--seed", type=int, default=int(time.time()), help="which schedules (the clock)")
    add("--number", type=int, default=number, help="how many (%(default)s)")
    add("--only", type=int, metavar="K", help="this one alone, with its history")
    add("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    add("--lab", type=Path, help="the directory of a lab that is up")
    add("--directory", type=Path, help="where to work (a temporary folder)")
    return made


def numbers(options: argparse.Namespace) -> list[int]:
    """Of the schedules that the options ask for."""
    return list(range(options.number)) if options.only is None else [options.only]


@contextmanager
def working_folder(options: argparse.Namespace) -> Iterator[Path]:
    """The folder to work in; short, because sockets are in it."""
    made = Path(tempfile.mkdtemp(prefix="faults-", dir=options.directory))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def in_places(
    run: Callable[[_Schedule, _Place], _Outcome],
    schedules: Sequence[_Schedule],
    places: Sequence[_Place],
) -> Iterator[_Outcome]:
    """Run the schedules, each in a place that is free; their outcomes come in their order."""
    free: SimpleQueue[_Place] = SimpleQueue()
    for place in places:
        free.put(place)

    def in_a_free_one(schedule: _Schedule) -> _Outcome:
        place = free.get()
        try:
            return run(schedule, place)
        finally:
            free.put(place)

    with ThreadPoolExecutor(len(places)) as pool:
        yield from pool.map(in_a_free_one, schedules)
