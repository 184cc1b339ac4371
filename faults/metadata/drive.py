# SPDX-License-Identifier: Apache-2.0
"""Plays one schedule of the way in: posts, starts, breaks, heals, and counts what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from faults import drive
from faults.metadata.machine import Machine
from faults.metadata.schedule import Life, Schedule
from faults.metadata.world import Place, Queue
from faults.nursery import Child, Nursery
from faults.schedule import ZAQAR

COUNTED = ("posted", "runs", "killed", "applied")
KINDS = ("lost", "older", "left", "hung", "raised")

# Runs after which, once all is well, everything must be done.
HEALING = 2


@dataclass
class Outcome(drive.Outcome):
    """What came of a schedule."""

    posted: int = 0
    runs: int = 0
    killed: int = 0
    """How many of the runs were ended by a signal."""
    applied: int = 0
    problems: list[str] = field(default_factory=list)
    """Which of :data:`KINDS`."""

    def counts(self) -> Counter[str]:
        """What was done, and which kinds of problem there are."""
        done = {name: getattr(self, name) for name in COUNTED}
        return Counter(done) + Counter(set(self.problems))

    def complaints(self) -> list[str]:
        """Which kinds of problem there are."""
        return [f"PROBLEMS: {', '.join(self.problems)}"] if self.problems else []


def run(schedule: Schedule, place: Place, nursery: Nursery, root: Path) -> Outcome:
    """Run a schedule in a place; its server is a folder that is gone afterwards."""
    outcome = Outcome(schedule)
    _Drive(schedule, outcome, place, Machine(root, nursery)).run()
    return outcome


class _Drive(drive.Drive[Life]):
    outcome: Outcome
    place: Place
    machine: Machine

    def __init__(
        self, schedule: Schedule, outcome: Outcome, place: Place, machine: Machine
    ) -> None:
        super().__init__(outcome, place, machine)
        self._lives = schedule.lives
        self._queue = Queue(place)
        place.wires[ZAQAR].post = self._queue.post

    def play(self) -> None:
        """Everything that happens in it, in order."""
        for life in self._lives:
            self.attempt(life)
        self._queue.let_go()
        self.machine.set_mood("")
        for _ in range(HEALING):
            statuses = self.perform(Life())
            self.ended(statuses)
            if statuses != [0]:
                self.outcome.problems.append("raised")
        self._judge()

    def clean_up(self) -> None:
        """Remove the queue."""
        self._queue.remove()

    def prepare(self, attempt: Life) -> None:
        """Have Heat post, and others claim."""
        for _ in range(attempt.posts):
            self._queue.post()
        if attempt.rubbish:
            self._queue.post_rubbish()
        if attempt.claim == "take":
            self._queue.claim()
            self._queue.post()
        elif attempt.claim:
            self._queue.let_go()
        self.machine.set_mood(attempt.command)

    def name(self, attempt: Life) -> str:
        """What is said of it before it starts."""
        return f"life: {attempt}"

    def start(self, attempt: Life) -> Iterator[Child]:
        """Start the service or a run, and perhaps an operator's run beside it."""
        access = self.place.access(self._queue.name)
        for life in [attempt, Life()] if attempt.twin else [attempt]:
            yield self.machine.collect(life, access)

    def ended(self, statuses: list[int | None]) -> None:
        """Count the runs, and those that were killed."""
        super().ended(statuses)
        self.outcome.runs += len(statuses)
        self.outcome.killed += sum(status is None or status < 0 for status in statuses)
        if None in statuses:
            self.outcome.problems.append("hung")

    def seen(self) -> list[str]:
        """What was applied."""
        return [f"applied: {self.machine.applied()}"]

    def _judge(self) -> None:
        outcome, applied = self.outcome, self.machine.applied()
        outcome.posted, outcome.applied = self._queue.posted, len(applied)
        if outcome.posted and applied[-1:] != [outcome.posted]:
            outcome.problems.append("lost")
        if any(after < before for before, after in pairwise(applied)):
            outcome.problems.append("older")
        if self._queue.left():
            outcome.problems.append("left")
        if any("Traceback" in line for line in self.machine.said()):
            outcome.problems.append("raised")
