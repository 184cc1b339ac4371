# SPDX-License-Identifier: Apache-2.0
"""The table, for a terminal and for a page: the same cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.figure import Against, Figure, Sample, Verdict

HEAD = ("", "unit", "ours", "peer", "floor", "ours / peer", "ours / floor", "goal", "")


def text(figures: Sequence[Figure]) -> str:
    """In columns."""
    rows = [HEAD, *(row for figure in figures for row in cells(figure))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(_line(row, widths) for row in rows) + "\n"


def markdown(figures: Sequence[Figure]) -> str:
    """As Markdown has it."""
    rows = [HEAD, ("---",) * len(HEAD), *(row for figure in figures for row in cells(figure))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def cells(figure: Figure) -> Iterator[tuple[str, ...]]:
    """One row, and one more for each further goal."""
    goals = [(_goal(each), outcome(each)) for each in figure.verdicts] or [("", "")]
    samples = (figure.ours, figure.peer, figure.floor)
    ratios = (figure.to_peer, figure.to_floor)
    first = (
        figure.name,
        figure.unit,
        *map(spread, samples),
        *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
    )
    yield (*first, *goals[0])
    yield from ((*("",) * len(first), *goal) for goal in goals[1:])


def spread(of: Sample | None) -> str:
    """The median, and the least and the most where there are several."""
    if of is None:
        return ""
    if len(of.values) == 1:
        return number(of.median)
    return f"{number(of.median)} ({number(of.least)} … {number(of.most)})"


def number(value: float) -> str:
    """With three digits that count."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def outcome(verdict: Verdict) -> str:
    """Whether a goal was met."""
    if verdict.measured is None:
        return "not measured"
    return "met" if verdict.is_met else f"MISSED by {verdict.missed_by:.0%}"


def _goal(verdict: Verdict) -> str:
    goal = verdict.goal
    of = "" if goal.against is Against.NOTHING else f"{goal.against.value} "
    return f"{of}≤ {goal.most:g}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, unit, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([first, unit, *others]).rstrip()
