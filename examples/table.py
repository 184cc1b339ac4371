# SPDX-License-Identifier: Apache-2.0
"""The table: a row for each template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from examples import chosen
from examples.play import Outcome

HEADER = "template | servers | deployments | seconds | outcome"


def passed(name: str, outcome: Outcome) -> bool:
    """Whether it has ended as it must: well, or as it does with every agent."""
    own = chosen.OWN.get(name)
    return own.said in outcome.problem if own else not outcome.problem


def row(name: str, outcome: Outcome) -> str:
    """One template."""
    problem = " ".join(outcome.problem.split())
    said = f"FAILED: {problem}" if problem else "passed"
    if (own := chosen.OWN.get(name)) and passed(name, outcome):
        said = f"as with every agent: {own.why}"
    counts = f"{outcome.servers} | {outcome.deployments} | {outcome.seconds:.1f}"
    return f"{name} | {counts} | {said}"


def left_out(path: Path) -> str:
    """One that was not run."""
    return f"{path.stem} | - | - | - | not run: {chosen.CANNOT[path.stem]}"


def summary(outcomes: Mapping[str, Outcome], left: int, seconds: float) -> str:
    """The last line."""
    good = sum(passed(name, outcome) for name, outcome in outcomes.items())
    verdict = "passed" if good == len(outcomes) > 0 else "FAILED"
    counts = f"{good} of {len(outcomes)} templates, {left} not run"
    return f"example-templates: {verdict}, {counts}, in {seconds:.0f} s"
