# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m matrix [--jobs N] [WORD…]``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from lab import Lab
from lab.stack import Heat
from lab.swift import SWIFT
from matrix import crowd, table
from matrix.cells import Cell, every
from matrix.life import Life, Outcome

# Stacks at a time: what one waits for, another computes.
JOBS = 6


def main() -> int:
    """Play the cells that are asked for, and print the table; 1 unless all have passed."""
    options = _options()
    cells = [cell for cell in every() if all(word in str(cell) for word in options.words)]
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="matrix-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with control_plane(folder / "lab") as lab:
            outcomes = play(lab, cells, folder, options.jobs)
            problem = "" if options.words else play_crowd(lab, folder / "crowd")
    for line in table.notes(cells):
        print(line)
    print(table.summary(outcomes, problem, time.monotonic() - began), flush=True)
    return 0 if table.has_passed(outcomes, problem) else 1


def control_plane(folder: Path) -> Lab:
    """One whose plug-in serves those stacks alone that ask for it."""
    return Lab(folder, plugin=True, for_all=False, profile=SWIFT, say=_nothing)


def play(lab: Lab, cells: Sequence[Cell], folder: Path, jobs: int) -> dict[Cell, Outcome]:
    """Play the cells, and print the row of each when it has ended."""
    outcomes: dict[Cell, Outcome] = {}
    print(table.header(), flush=True)
    with _pool(jobs) as pool:
        lives = {
            pool.submit(Life(cell, Heat(lab.environment()), folder / str(number)).play): cell
            for number, cell in enumerate(cells)
        }
        for done in as_completed(lives):
            outcomes[lives[done]] = done.result()
            print(table.row(lives[done], done.result()), flush=True)
    return outcomes


def play_crowd(lab: Lab, folder: Path) -> str:
    """Play the stack with many servers, and print its row; return what was wrong."""
    began = time.monotonic()
    problem = crowd.play(Heat(lab.environment()), folder)
    print(table.crowd(len(crowd.NAMES), time.monotonic() - began, problem), flush=True)
    return problem


@contextmanager
def _pool(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads; who breaks off waits for none of them: without the lab they end by themselves."""
    pool = ThreadPoolExecutor(jobs)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _nothing(_: str) -> None:
    """The lab's start is not shown."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="matrix", description="Every way in with every way out.")
    parser.add_argument("words", nargs="*", help="only cells whose row has all of these words")
    parser.add_argument("--jobs", type=int, default=JOBS, help="stacks at a time (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
