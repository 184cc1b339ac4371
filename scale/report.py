# SPDX-License-Identifier: Apache-2.0
"""The table of all rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from scale.curve import Panel
from scale.figures import per_second, spread
from scale.rounds import Figures


def lost(figures: Figures) -> int:
    """How many results Heat has not got."""
    return sum(not each.taken for each in figures.round.awaited.values())


def repeated(figures: Figures) -> int:
    """How many hooks were begun beyond the first of a config."""
    return sum(max(each.hooks - 1, 0) for each in figures.round.awaited.values())


def lines(figures: Figures) -> list[str]:
    """One round, for people."""
    awaited = list(figures.round.awaited.values())
    to_hook = spread([each.seen_after for each in awaited if each.hook and each.posted])
    to_taken = spread([each.taken - each.ended for each in awaited if each.taken and each.ended])
    done = sum(bool(each.taken) for each in awaited)
    busiest, used = max(figures.cpu.items(), key=lambda item: item[1])
    cpu = ", ".join(f"{name} {spent:.1f}" for name, spent in figures.cpu.items() if spent >= 0.05)
    return [
        f"{figures.round.name}: {len(awaited)} servers in {figures.seconds:.0f} s, "
        f"{done / figures.seconds:.1f} a second; lost: {lost(figures)}, "
        f"run twice: {repeated(figures)}",
        f"  post to hook, median / 99 % / worst: {to_hook}",
        f"  ended to taken, median / 99 % / worst: {to_taken}",
        *(
            f"  requests to {name}: {_counted(counts)}"
            for name, counts in figures.requests.items()
            if counts
        ),
        f"  not served: {figures.away} looks of servers, {_counted(figures.round.errors)} of Heat",
        f"  CPU in s: {cpu}; most: {busiest}, {used / figures.seconds:.0%} of a core",
    ]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


def panel(figures: Figures) -> Panel:
    """One round, as it is drawn."""
    awaited = figures.round.awaited.values()
    began = figures.round.began
    return Panel(
        f"{figures.round.name}: {len(awaited)} servers",
        per_second((each.hook for each in awaited), began),
        per_second((each.taken for each in awaited), began),
    )


def results(figures: Iterable[Figures]) -> list[dict[str, Any]]:
    """All rounds, for programs."""
    return [
        {
            "round": each.round.name,
            "servers": len(each.round.awaited),
            "seconds": round(each.seconds, 1),
            "lost": lost(each),
            "run twice": repeated(each),
            "away": each.away,
            "errors": dict(each.round.errors),
            "post to hook": _spread([a.seen_after for a in _all(each) if a.hook and a.posted]),
            "ended to taken": _spread(
                [a.taken - a.ended for a in _all(each) if a.taken and a.ended]
            ),
            "cpu": {name: round(spent, 1) for name, spent in each.cpu.items()},
            "requests": {name: dict(counts) for name, counts in each.requests.items()},
        }
        for each in figures
    ]


def _all(figures: Figures) -> list[Any]:
    return list(figures.round.awaited.values())


def _spread(values: list[float]) -> list[float] | None:
    found = spread(values)
    return found and [round(value, 3) for value in found]
