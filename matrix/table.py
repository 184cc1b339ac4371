# SPDX-License-Identifier: Apache-2.0
"""The table: a row for each cell, with the seconds of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matrix.cells import Cell, Own, heats_own
from matrix.life import STEPS, Outcome


def header() -> str:
    """What the columns are."""
    return " | ".join(("side", "way in", "way out", *map(str, STEPS), "outcome"))


def row(cell: Cell, outcome: Outcome) -> str:
    """One cell: how many seconds each step took, and what was wrong."""
    seconds = [f"{outcome.seconds[step]:.1f}" if step in outcome.seconds else "-" for step in STEPS]
    return " | ".join((cell.side.value, cell.way_in, cell.way_out, *seconds, said(cell, outcome)))


def said(cell: Cell, outcome: Outcome) -> str:
    """How it ended."""
    if outcome.problem:
        return "FAILED: " + " ".join(outcome.problem.split())
    without = [step.action for step in STEPS if heats_own(cell, step.action)]
    return f"passed; Heat itself has no {', '.join(without)} of it" if without else "passed"


def crowd(servers: int, seconds: float, problem: str) -> str:
    """The line of the stack with many servers."""
    said = "FAILED: " + " ".join(problem.split()) if problem else "passed"
    return f"Heat alone | ZAQAR_MESSAGE | ZAQAR_SIGNAL | {servers} servers: {seconds:.1f} | {said}"


def notes(cells: Iterable[Cell]) -> list[str]:
    """What of these cells is Heat's own, and where in Heat it is."""
    found: dict[Own, None] = {}
    for cell in cells:
        found.update({own: None for step in STEPS if (own := heats_own(cell, step.action))})
    return [f"Heat: {own.reason} ({own.line})" for own in found]


def has_passed(outcomes: Mapping[Cell, Outcome], problem: str) -> bool:
    """Whether all has gone well; ``problem``: of the stack with many servers."""
    return bool(outcomes) and not problem and not any(each.problem for each in outcomes.values())


def summary(outcomes: Mapping[Cell, Outcome], problem: str, seconds: float) -> str:
    """The last line."""
    passed = sum(not outcome.problem for outcome in outcomes.values())
    verdict = "passed" if has_passed(outcomes, problem) else "FAILED"
    return f"matrix: {verdict}, {passed} of {len(outcomes)} cells in {seconds:.0f} s"
