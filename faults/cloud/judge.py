# SPDX-License-Identifier: Apache-2.0
"""What came of a schedule: what is ours, and what Heat itself does not survive."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from faults.cloud.schedule import Injury, Kind, Schedule

COMPLETE, FAILED, HUNG = "COMPLETE", "FAILED", "hung"
KINDS = ("failed", "hung", "wrong", "run twice", "left")


class Run(NamedTuple):
    """One line that a script has written."""

    action: str
    who: str
    step: str
    config: str
    """Heat's id of the config that was run."""


class Ended(NamedTuple):
    """How one action of a stack has ended."""

    phase: str
    state: str
    reason: str = ""
    wrong: tuple[str, ...] = ()
    """Outputs that are not what the scripts have said."""
    again: bool = False
    """Whether it was asked for again, because it had not ended well."""


class Own(NamedTuple):
    """Something that Heat does not survive, whatever answers its servers."""

    kinds: tuple[Kind, ...]
    state: str
    reason: str
    """A pattern that Heat's reason has."""
    what: str
    line: str
    """Heat's line that does it (27.0.1)."""


_ENGINES = (Kind.ENGINE_KILLED, Kind.ENGINE_FROZEN, Kind.ENGINES_STOPPED)
HEATS_OWN: tuple[Own, ...] = (
    Own(
        _ENGINES,
        HUNG,
        "",
        "a stack whose engine has died stays IN_PROGRESS until it is asked for again",
        "heat/engine/service.py:2571",
    ),
)


@dataclass
class Outcome:
    """One schedule."""

    schedule: Schedule
    injuries: Mapping[str, Injury]
    ended: list[Ended] = field(default_factory=list)
    """The actions, in their order; one that was asked for again is there twice."""
    runs: list[Run] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """The messages that were found on its queues when everything was over."""

    def own(self, ended: Ended) -> Own | None:
        """What of Heat's own has ended an action so, if anything; asked for again it must do."""
        if ended.again:
            return None
        kind = self.injuries[ended.phase].kind
        fit = (
            own
            for own in HEATS_OWN
            if kind in own.kinds
            and own.state == ended.state
            and re.search(own.reason, ended.reason)
        )
        return next(fit, None)

    def counts(self) -> Counter[str]:
        """What is counted, by name."""
        ours = [ended for ended in self.ended if not self.own(ended)]
        return Counter(
            {
                "stacks": 1,
                "failed": sum(ended.state == FAILED for ended in ours),
                "hung": sum(ended.state == HUNG for ended in ours),
                "wrong": sum(len(ended.wrong) for ended in self.ended),
                "run twice": len(twice(self.runs)),
                "left": len(self.left),
            }
        )

    def complaints(self) -> list[str]:
        """A line for each thing that is wrong with it."""
        ours = [each for each in self.ended if each.state != COMPLETE and not self.own(each)]
        return [
            *(f"{each.phase} {each.state}: {each.reason}" for each in ours),
            *(f"{each.phase}: {wrong}" for each in self.ended for wrong in each.wrong),
            *(f"run twice: {' '.join(run)}" for run in twice(self.runs)),
            *(f"left: {message}" for message in self.left),
        ]

    def apart(self) -> list[str]:
        """What Heat itself has not survived, with its line."""
        owns = [own for ended in self.ended if (own := self.own(ended))]
        return [f"{own.what} ({own.line})" for own in owns]


def twice(runs: Sequence[Run]) -> list[Run]:
    """The runs of a config that had been run before."""
    seen: set[str] = set()
    again = []
    for run in runs:
        if run.config in seen:
            again.append(run)
        seen.add(run.config)
    return again


class Total:
    """The sum of all outcomes."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter(dict.fromkeys(("schedules", "stacks", *KINDS), 0))
        self._apart: Counter[str] = Counter()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count these as well."""
        for outcome in outcomes:
            self._counts.update({"schedules": 1, **outcome.counts()})
            self._apart.update(outcome.apart())

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong with any of them."""
        return not any(self._counts[kind] for kind in KINDS)

    def apart(self) -> list[str]:
        """What is Heat's own, a line each."""
        return [f"Heat's own: {count} times: {what}" for what, count in sorted(self._apart.items())]

    def line(self) -> str:
        """The last line."""
        names = ("schedules", "stacks", *KINDS)
        return ", ".join(f"{name}: {self._counts[name]}" for name in names)
