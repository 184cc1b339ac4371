# SPDX-License-Identifier: Apache-2.0
"""What is printed while schedules are run, and at the end."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

# What differs from run to run in the names of files: configs, processes, temporary files.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{2,}|tmp\w+")
# Schedules after which a line tells how far it has come.
_EVERY = 10


class Numbered(Protocol):
    """A schedule, of which its number is printed."""

    @property
    def number(self) -> int:
        """With the seed it makes the schedule again."""


class Outcome(Protocol):
    """What came of a schedule."""

    @property
    def schedule(self) -> Numbered:
        """The schedule."""

    @property
    def crashes(self) -> Sequence[str]:
        """The operations on files at which programs were killed."""

    @property
    def befell(self) -> Counter[str]:
        """How many requests had which fate."""

    @property
    def history(self) -> Sequence[str]:
        """What happened, line by line."""

    def counts(self) -> Mapping[str, int]:
        """What is counted, by name."""

    def complaints(self) -> Sequence[str]:
        """A line for each thing that is wrong."""


class Report:
    """The sum of all outcomes: ``counted`` is only that, ``kinds`` must be zero at the end.

    ``apart`` is printed in lines of its own.
    """

    def __init__(
        self,
        command: str,
        counted: Sequence[str],
        kinds: Sequence[str],
        apart: Sequence[str] = (),
        *,
        tells_all: bool = False,
    ) -> None:
        self._command = command
        self._names = ("schedules", *counted, *kinds)
        self._kinds = kinds
        self._apart = apart
        self._tells_all = tells_all
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._crashes: set[str] = set()
        self._befell: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count a schedule; tell everything about it if something is wrong."""
        self._counts.update({"schedules": 1, **outcome.counts()})
        self._crashes |= {_ID.sub("ID", crash) for crash in outcome.crashes}
        self._befell += outcome.befell
        complaints = outcome.complaints()
        if complaints or self._tells_all:
            print("=" * 100)
            print("\n".join([*outcome.history, *complaints]))
        if complaints:
            print(f"to repeat it: {self._command} --only {outcome.schedule.number}", flush=True)
        if self._counts["schedules"] % _EVERY == 0:
            print(f"{time.monotonic() - self._began:7.1f} s  {self._line(self._names)}", flush=True)

    def end(self) -> int:
        """Print the last lines; return the exit status."""
        faults = (f"{step} {count}" for step, count in sorted(self._befell.items()))
        print(f"requests: {', '.join(faults)}")
        print(f"crashes: at {len(self._crashes)} different operations on files")
        for name in self._apart:
            print(self._line([name]))
        print(self._line(self._names), flush=True)
        return 1 if any(self._counts[kind] for kind in self._kinds) else 0

    def _line(self, names: Sequence[str]) -> str:
        return ", ".join(f"{name}: {self._counts[name]}" for name in names)
