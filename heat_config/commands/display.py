# SPDX-License-Identifier: Apache-2.0
"""How ``heat-config status`` shows its rows: to people, to programs, and in a few lines."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from heat_config.terminal import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heat_config.commands.status import Row

# Deployments that the short text names: it is one of many that somebody sees who logs in.
NAMED = 5
# Characters of what a hook has written, which is no more than a hint.
LONGEST = 200
# The order of the states in the short text: what somebody must look at comes first.
STATES = ("failed", "interrupted", "unfinished", "running", "pending", "done")


def as_table(found: list[Row]) -> str:
    """The rows for people, and below them what there is to say of some."""
    heads = ("NAME", "STATE", "SIGNAL", "ACTION", "GROUP", "BEGUN", "DURATION", "ID")
    lines = [heads, *(_cells(row) for row in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    table = "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )
    return table + "".join(f"{shown(row.name)}: {note}\n" for row in found for note in _notes(row))


def as_json(found: list[Row]) -> str:
    """The rows for programs."""
    listed: list[dict[str, Any]] = [
        {**row._asdict(), "duration": row.duration, "time_left": row.time_left} for row in found
    ]
    return json.dumps(listed, indent=2) + "\n"


def as_short(found: list[Row], more: list[str], unknown: str = "") -> str:
    """The rows in a few lines, for people who log in: how many, and what is not over and well.

    ``more``: what there is to say beside them; ``unknown``: why nothing is known of any.
    """
    notes = [f"{shown(row.name)}: {note}" for row in _by_weight(found) for note in _notes(row)]
    left = [f"and more: heat-config status shows {len(notes)}"] if len(notes) > NAMED else []
    lines = [*notes[:NAMED], *left, *map(shown, more)]
    head = shown(unknown) or _counted(found)
    return "".join([f"heat-config: {head}\n", *(f"  {line}\n" for line in lines)])


def _counted(found: list[Row]) -> str:
    """How many there are, and how many in each state."""
    states = Counter(row.state for row in found)
    counts = [f"{states[state]} {state}" for state in STATES if states[state]]
    kept = sum(row.signal in ("pending", "unconfirmed", "abandoned") for row in found)
    counts += [f"{kept} not delivered"] if kept else []
    number = "1 deployment" if len(found) == 1 else f"{len(found) or 'no'} deployments"
    return ": ".join(filter(None, (number, ", ".join(counts))))


def _by_weight(found: Iterable[Row]) -> list[Row]:
    return sorted(found, key=lambda row: STATES.index(row.state))


def _notes(row: Row) -> list[str]:
    """What there is to say of a deployment that is not over, or not well."""
    notes = []
    if row.state == "running":
        notes.append(f"running{_progress(row)}")
    if row.state in ("failed", "interrupted") and row.status_code is not None:
        why = f": {_brief(row.reason)}" if row.reason else ""
        notes.append(f"{row.state}: status code {row.status_code}{why}")
    matter = row.signal if row.signal != "none" else row.state
    if row.problem:
        notes.append(f"{matter}: {shown(row.problem)}{_next_try(row)}")
    elif row.next_try is not None:
        notes.append(f"{matter}{_next_try(row)}")
    return notes


def _progress(row: Row) -> str:
    since = "" if row.duration is None else f" for {span(row.duration)}"
    left = "" if row.time_left is None else f", {span(row.time_left)} of its time are left"
    return f"{since}{left}" + (f": {_brief(row.last_line)}" if row.last_line else "")


def _next_try(row: Row) -> str:
    if row.next_try is None:
        return ""
    return f"; the next try is in {span(max(0.0, row.next_try - time.time()))}"


def span(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _brief(text: str) -> str:
    """A text on one line: its beginning, where most tools say why, and its end."""
    line = " / ".join(part.strip() for part in text.splitlines() if part.strip())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} […] {line[-LONGEST // 2 :]}"
    return shown(line)


def _cells(row: Row) -> tuple[str, ...]:
    begun = "-" if row.begun is None else time.strftime("%F %T", time.localtime(row.begun))
    duration = "-" if row.duration is None else f"{row.duration:.1f} s"
    action, group = row.action or "-", row.group or "-"
    cells = (row.name, row.state, row.signal, action, group, begun, duration, row.id)
    return tuple(map(shown, cells))
