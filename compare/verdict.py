# SPDX-License-Identifier: Apache-2.0
"""What came of a case on one side, and the table of them all. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# Characters of a reason that are shown.
_SHOWN = 160


class Verdict(NamedTuple):
    """What came of one case."""

    passed: bool
    said: str


Verdicts = Mapping[str, Verdict]


def brief(text: str) -> str:
    """One line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def table(plugin: Verdicts, alone: Verdicts) -> list[str]:
    """A line for each case."""
    return [
        " | ".join([case, _cell(plugin.get(case)), _cell(alone.get(case))])
        for case in dict.fromkeys([*plugin, *alone])
    ]


def summary(plugin: Verdicts, alone: Verdicts, chain: float | None) -> str:
    """The last line."""
    ratio = "not measured" if chain is None else f"{chain:.2f}"
    return f"plug-in: {_count(plugin)}, Heat alone: {_count(alone)}, chain/floor: {ratio}"


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not run"
    return f"{'passed' if verdict.passed else 'FAILED'}: {verdict.said}"


def _count(verdicts: Verdicts) -> str:
    return f"{sum(each.passed for each in verdicts.values())} of {len(verdicts)}"
