# SPDX-License-Identifier: Apache-2.0
"""Where the time of a stack's last action went. No I/O.

Heat's events have whole seconds. When a hook was begun and ended is known where its config declares
the output ``deploy_times``, which the agent fills; by the server's clock.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

# What an event's time may be short of: Heat leaves the fraction out.
RESOLUTION = 1.0


class Phase(Enum):
    """What a part of a row's time was."""

    WAITS = "waits for what it depends on"
    MADE = "Heat makes the server"
    SERVER = "at the server: queue, agent, hook, signal"
    QUEUE = "to the server: queue, agent"
    HOOK = "hook"
    SIGNAL = "from the server: signal"
    HEAT = "Heat again"


class Span(NamedTuple):
    """A part of a row; both in seconds since the epoch."""

    phase: Phase
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


class Row(NamedTuple):
    """A server or a deployment, with its parts in their order."""

    server: str
    name: str
    status: str
    """COMPLETE, FAILED, IN_PROGRESS, or UNFINISHED where Heat has left it so."""
    spans: tuple[Span, ...]
    critical: bool = False
    """Whether the stack would have ended sooner had this."""
    moved: float = 0.0
    """Seconds by which its server's clock was taken to be off."""

    @property
    def end(self) -> float:
        """When it ended."""
        return self.spans[-1].end

    @property
    def seconds(self) -> float:
        """How long it took, without what it waited for."""
        return sum(each.seconds for each in self.spans if each.phase is not Phase.WAITS)


class Step(NamedTuple):
    """A resource on the critical path."""

    name: str
    seconds: float
    """Since the step before it ended."""


class Timeline(NamedTuple):
    """One action of a stack."""

    title: str
    begin: float
    end: float
    rows: tuple[Row, ...]
    path: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


class Moments(NamedTuple):
    """What is known of one deployment, in seconds since the epoch."""

    asked: float
    """The stack's action began."""
    posted: float
    """Heat began with it."""
    answered: float
    """Heat has its result, or still has none."""
    done: float
    """Heat is through with it."""
    begun: float | None = None
    ended: float | None = None


def of_server(asked: float, begin: float, end: float) -> tuple[Span, ...]:
    """The parts of a server's row."""
    return _chain(asked, [(Phase.WAITS, begin), (Phase.MADE, end)])


def of_deployment(known: Moments) -> tuple[Span, ...]:
    """The parts of a deployment's row."""
    if known.begun is None or known.ended is None:
        there = [(Phase.SERVER, known.answered)]
    else:
        ended = min(known.ended, known.answered + RESOLUTION)
        there = [
            (Phase.QUEUE, known.begun),
            (Phase.HOOK, ended),
            (Phase.SIGNAL, max(ended, known.answered)),
        ]
    return _chain(known.asked, [(Phase.WAITS, known.posted), *there, (Phase.HEAT, known.done)])


def _chain(begin: float, parts: list[tuple[Phase, float]]) -> tuple[Span, ...]:
    """Parts that follow each other, each to its end; those that took no time are left out.

    The last one stays where else nothing but a wait would be left.
    """
    found = []
    for phase, end in parts:
        if end > begin:
            found.append(Span(phase, begin, end))
            begin = end
    if all(each.phase is Phase.WAITS for each in found):
        found.append(Span(parts[-1][0], begin, begin))
    return tuple(found)


def skewed(known: Moments) -> tuple[Moments, float]:
    """The same with the hook where Heat knows that it was, and by how many seconds it was moved.

    A server's clock that is off shows a hook before its deployment was posted, or after it was
    answered.
    """
    if known.begun is None or known.ended is None:
        return known, 0.0
    early = known.posted - known.begun
    late = known.ended - known.answered - RESOLUTION
    move = early if early > 0 else -max(late, 0.0)
    return known._replace(begun=known.begun + move, ended=known.ended + move), move
