# SPDX-License-Identifier: Apache-2.0
"""One row of the table: what was measured of ours, of the peer and of the floor, and its goals."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from statistics import median
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """What was measured of one contender, once or several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle of it."""
        return median(self.values)

    @property
    def least(self) -> float:
        """The best of it."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The worst of it."""
        return max(self.values)


class Against(Enum):
    """What a goal is about."""

    NOTHING = "the figure"
    PEER = "ours / peer"
    FLOOR = "ours / floor"


class Goal(NamedTuple):
    """At most so much."""

    most: float
    against: Against = Against.NOTHING


class Verdict(NamedTuple):
    """What came of a goal."""

    goal: Goal
    measured: float | None
    """None where nothing was measured of what it is about."""

    @property
    def is_met(self) -> bool:
        """Whether it was reached."""
        return self.measured is not None and self.measured <= self.goal.most

    @property
    def missed_by(self) -> float:
        """How far it was missed, as a part of the goal."""
        return 0.0 if self.measured is None else self.measured / self.goal.most - 1


class Figure(NamedTuple):
    """One row."""

    name: str
    unit: str
    ours: Sample | None
    peer: Sample | None = None
    floor: Sample | None = None
    goals: tuple[Goal, ...] = ()
    note: str = ""
    """What the peer and the floor are, where that is not the same in all rows."""

    @property
    def to_peer(self) -> float | None:
        """Ours / peer."""
        return _ratio(self.ours, self.peer)

    @property
    def to_floor(self) -> float | None:
        """Ours / floor."""
        return _ratio(self.ours, self.floor)

    @property
    def verdicts(self) -> list[Verdict]:
        """What came of each goal."""
        measured = {
            Against.NOTHING: self.ours.median if self.ours else None,
            Against.PEER: self.to_peer,
            Against.FLOOR: self.to_floor,
        }
        return [Verdict(goal, measured[goal.against]) for goal in self.goals]


def sample(values: Iterable[float]) -> Sample | None:
    """What was measured; None of nothing."""
    found = tuple(values)
    return Sample(found) if found else None


def as_dict(figure: Figure) -> dict[str, Any]:
    """For JSON."""
    goals = [{"most": each.most, "against": each.against.name} for each in figure.goals]
    return {
        "name": figure.name,
        "unit": figure.unit,
        "ours": _values(figure.ours),
        "peer": _values(figure.peer),
        "floor": _values(figure.floor),
        "goals": goals,
        "note": figure.note,
    }


def from_dict(found: dict[str, Any]) -> Figure:
    """The same again."""
    goals = tuple(Goal(each["most"], Against[each["against"]]) for each in found["goals"])
    samples = {name: sample(found[name]) for name in ("ours", "peer", "floor")}
    return Figure(found["name"], found["unit"], **samples, goals=goals, note=found["note"])


def _ratio(one: Sample | None, other: Sample | None) -> float | None:
    return one.median / other.median if one and other and other.median else None


def _values(of: Sample | None) -> list[float]:
    return [round(value, 6) for value in of.values] if of else []
