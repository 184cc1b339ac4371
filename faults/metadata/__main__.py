# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m faults.metadata [--seed S] [--number N] [--only K]``."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from faults.metadata import drive, schedule, world
from faults.nursery import nursery
from lab import Lab

# What differs from run to run in the name of a file.
_NAME = re.compile(r"tmp\w+|\.\d+\.|[0-9a-f]{8}-[0-9a-f-]{27}")


def main() -> int:
    """Run the schedules; 0 when the newest was applied in each, and nothing older after it."""
    parser = argparse.ArgumentParser(prog="python -m faults.metadata", description=__doc__)
    now = int(time.time())
    parser.add_argument("--seed", type=int, default=now, help="which schedules (the clock)")
    parser.add_argument("--number", type=int, default=500, help="how many (%(default)s)")
    parser.add_argument("--only", type=int, metavar="K", help="this one alone, with its history")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    parser.add_argument("--lab", type=Path, help="the directory of a lab that is up")
    options = parser.parse_args()
    numbers = range(options.number) if options.only is None else [options.only]
    print(f"seed {options.seed}, {len(numbers)} schedules, {options.jobs} at a time")
    report = Report(options.seed, tells_all=options.only is not None)
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Lab(options.lab or folder / "lab") as lab:
            for outcome in _outcomes(lab, options, list(numbers), folder):
                report.add(outcome)
    return report.end()


def _outcomes(
    lab: Lab, options: argparse.Namespace, numbers: list[int], folder: Path
) -> Iterator[drive.Outcome]:
    """Run the schedules, some at a time, each in a place that is free."""
    jobs = min(options.jobs, len(numbers))
    with world.places(lab, jobs) as places, nursery(folder, "heat-config-collect") as started:
        free: SimpleQueue[world.Place] = SimpleQueue()
        for place in places:
            free.put(place)

        def run(number: int) -> drive.Outcome:
            place = free.get()
            try:
                made = schedule.make(options.seed, number)
                return drive.run(made, place, started, folder / f"schedule-{number}")
            finally:
                free.put(place)

        with ThreadPoolExecutor(len(places)) as pool:
            yield from pool.map(run, numbers)


class Report:
    """What is printed while it goes on and at the end."""

    def __init__(self, seed: int, *, tells_all: bool) -> None:
        self._seed = seed
        self._tells_all = tells_all
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._crashes: set[str] = set()
        self._befell: Counter[str] = Counter()

    def add(self, outcome: drive.Outcome) -> None:
        """Count a schedule; tell everything about it if something is wrong."""
        self._counts["schedules"] += 1
        for name in ("posted", "runs", "killed", "applied"):
            self._counts[name] += getattr(outcome, name)
        self._counts.update(set(outcome.problems))
        self._crashes |= {_NAME.sub("", crash) for crash in outcome.crashes}
        self._befell += outcome.befell
        if outcome.problems or self._tells_all:
            print("\n".join(outcome.history))
        if outcome.problems:
            print(f"PROBLEMS: {', '.join(outcome.problems)}")
            command = f"python -m faults.metadata --seed {self._seed}"
            print(f"to repeat it: {command} --only {outcome.schedule.number}", flush=True)
        if self._counts["schedules"] % 20 == 0:
            print(f"{time.monotonic() - self._began:7.1f} s  {self._line()}", flush=True)

    def end(self) -> int:
        """Print the last lines; return the exit status."""
        faults = (f"{step} {count}" for step, count in sorted(self._befell.items()))
        print(f"requests: {', '.join(faults)}")
        print(f"crashes: at {len(self._crashes)} different operations on files")
        print(self._line(), flush=True)
        return 1 if any(self._counts[kind] for kind in drive.KINDS) else 0

    def _line(self) -> str:
        names = ("schedules", "posted", "runs", "killed", "applied", *drive.KINDS)
        return ", ".join(f"{name}: {self._counts[name]}" for name in names)


if __name__ == "__main__":
    sys.exit(main())
