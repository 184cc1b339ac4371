# SPDX-License-Identifier: Apache-2.0
"""Plays one schedule: starts programs, breaks what is around them, heals it, notes what was seen.

What is asked of the programs, and what is judged, is each direction's own.
"""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Timer
from typing import Any, Generic, TypeVar

from faults.machine import Machine, lines_of
from faults.nursery import Child
from faults.schedule import Attempt, Schedule
from faults.world import Place


@dataclass
class Outcome(ABC):
    """What came of a schedule."""

    schedule: Schedule
    crashes: list[str] = field(default_factory=list)
    """The operations on files at which programs crashed."""
    befell: Counter[str] = field(default_factory=Counter)
    """How many requests had which fate."""
    history: list[str] = field(default_factory=list)

    @abstractmethod
    def counts(self) -> Counter[str]:
        """What is counted, by name."""

    @abstractmethod
    def complaints(self) -> list[str]:
        """A line for each thing that is wrong."""


_A = TypeVar("_A", bound=Attempt)


class Drive(ABC, Generic[_A]):
    """One schedule in one place, with one server."""

    outcome: Outcome
    place: Place
    machine: Machine

    def __init__(self, outcome: Outcome, place: Place, machine: Machine) -> None:
        self.outcome = outcome
        self.place = place
        self.machine = machine

    def run(self) -> None:
        """Play it; nothing of its server is left afterwards."""
        place, machine = self.place, self.machine
        place.journal.clear()
        try:
            self.play()
            self._look_back()
        finally:
            place.heal()
            place.wait_until_idle()
            machine.close()
            self.clean_up()

    @abstractmethod
    def play(self) -> None:
        """Everything that happens in it, in order."""

    def clean_up(self) -> None:
        """Leave nothing in the place."""

    def prepare(self, attempt: _A) -> None:
        """Do what comes before the programs of an attempt are started."""

    @abstractmethod
    def start(self, attempt: _A) -> Iterator[Child]:
        """Start the programs of an attempt, one after the other."""

    def name(self, attempt: _A) -> str:
        """What an attempt is called in the history."""
        return str(attempt)

    def ended(self, statuses: list[int | None]) -> None:
        """Note how programs have ended; None is one that hung."""
        self.note(f"ended with {statuses}", statuses=statuses)

    def timers(self, attempt: _A) -> list[Timer]:
        """What happens while the programs of an attempt run; counted from the first one's start."""
        timers = []
        if attempt.away and attempt.back_after is not None:
            timers.append(Timer(attempt.back_after, self._come_back, [attempt.away]))
        if attempt.signal:
            number = signal.SIGTERM if attempt.signal == "TERM" else signal.SIGKILL
            hooks = {"hooks": attempt.signal == "ALL"}
            timers.append(Timer(attempt.signal_after, self.machine.kill, [number], hooks))
        return timers

    def attempt(self, attempt: _A) -> None:
        """Run programs while this and that befalls them, then heal."""
        place, machine = self.place, self.machine
        self.prepare(attempt)
        place.arm(attempt, machine.patience, machine.kill)
        away = f", away: {', '.join(attempt.away)}" if attempt.away else ""
        self.note(f"{self.name(attempt)}{away}", away=attempt.away)
        self.ended(self.perform(attempt))
        place.heal()
        # What a program that was killed has sent is served at once, unless it is late.
        place.wait_until_idle(but_late=True)

    def perform(self, attempt: _A) -> list[int | None]:
        """Run the programs of an attempt to their end; return their statuses."""
        timers = self.timers(attempt)
        children: list[Child] = []
        for child in self.start(attempt):
            if not children:
                for timer in timers:
                    timer.start()
            children.append(child)
        statuses = self.machine.wait(children)
        for timer in timers:
            timer.cancel()
            timer.join()
        return statuses

    def note(self, text: str, **facts: Any) -> None:
        """Note what the schedule has done, in the journal and in the programs' log."""
        self.place.journal.note(text, **facts)
        self.machine.note(text)

    def seen(self) -> Iterable[str]:
        """Lines of the history about what was seen at the end."""
        return []

    def is_worth_telling(self, line: str) -> bool:  # noqa: ARG002 - for those who override it
        """Whether a line of the programs' log belongs into the history."""
        return True

    def _come_back(self, away: tuple[str, ...]) -> None:
        self.note(f"back: {', '.join(away)}")
        self.place.come_back(away)

    def _look_back(self) -> None:
        """Complete what came of it, with its history for people."""
        outcome, journal = self.outcome, self.place.journal
        outcome.crashes = lines_of(self.machine.crashes)
        outcome.befell.update(line.step for line in journal.lines if line.wire)
        said = filter(self.is_worth_telling, lines_of(self.machine.log))
        outcome.history = [
            *outcome.schedule.lines(),
            *(f"  {line}" for line in self.seen()),
            "what went over the wires, and what was done (seconds):",
            *(f"  {line}" for line in journal.lines),
            *(f"  crashed {crash}" for crash in outcome.crashes),
            "what the programs said:",
            *(f"  {line[:600]}" for line in said),
        ]
