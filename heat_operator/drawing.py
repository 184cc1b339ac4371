# SPDX-License-Identifier: Apache-2.0
"""A timeline for a terminal: a line for each row, a character for each part of the time."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from heat_operator.scale import duration, marks
from heat_operator.spans import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from heat_operator.spans import Row, Timeline

_SIGNS = {
    Phase.WAITS: ".",
    Phase.MADE: "-",
    Phase.SERVER: "=",
    Phase.QUEUE: ">",
    Phase.HOOK: "#",
    Phase.SIGNAL: "<",
    Phase.HEAT: "+",
}
_STATES = {"FAILED": "failed", "UNFINISHED": "unfinished", "IN_PROGRESS": "so far"}
# Characters: of the longest name that is shown whole, and of the shortest bar.
_NAME, _BAR = 32, 20


def text(timeline: Timeline, width: int) -> str:
    """The timeline in lines of at most so many characters, if there is room for a bar at all."""
    names = [row.name for row in timeline.rows] + [row.server for row in timeline.rows]
    label = min(max(map(len, names), default=0), _NAME) + 4
    times = max((len(numbers(row)) for row in timeline.rows), default=0)
    bar = max(width - label - times - 2, _BAR)
    below = (part for line in _below(timeline) for part in folded(*line, width))
    return "\n".join([*_lines(timeline, label, bar), "", *below]) + "\n"


def _lines(timeline: Timeline, label: int, bar: int) -> Iterator[str]:
    yield f"{timeline.title} after {duration(timeline.seconds)}"
    yield ""
    yield " " * label + _axis(timeline.seconds, bar)
    for server, rows in groupby(timeline.rows, lambda row: row.server):
        yield _short(server, label)
        for row in rows:
            yield f"{'*' if row.critical else ' '} {_row(timeline, row, label - 2, bar)}".rstrip()


def _below(timeline: Timeline) -> Iterator[tuple[list[str], str]]:
    """The legend and what there is to say, each in its parts, with what stands between them."""
    used = {span.phase for row in timeline.rows for span in row.spans}
    yield [f"{_SIGNS[each]} {each.value}" for each in Phase if each in used], "  "
    for line in (*path(timeline), *timeline.notes):
        yield line.split(", "), ", "


def folded(parts: Iterable[str], between: str, room: int) -> Iterator[str]:
    """Parts in lines of so many characters, or of one part that is longer."""
    line, end = "", between.rstrip()
    for part in parts:
        longer = f"{line}{between}{part}" if line else part
        if line and len(longer + end) > room:
            yield line + end
            longer = part
        line = longer
    if line:
        yield line


def path(timeline: Timeline) -> Iterator[str]:
    """The critical path in a line, if there is one."""
    if timeline.path:
        steps = (f"{step.name} {duration(step.seconds)}" for step in timeline.path)
        yield f"* critical path: {', then '.join(steps)}"


def numbers(row: Row) -> str:
    """How long a row took, and its hook; and that it has failed or goes on."""
    hook = [duration(each.seconds) for each in row.spans if each.phase is Phase.HOOK]
    words = [duration(row.seconds), *(f"(hook {each})" for each in hook)]
    state = [_STATES[row.status]] if row.status in _STATES else []
    return " ".join(words + state)


def _row(timeline: Timeline, row: Row, label: int, bar: int) -> str:
    per_second = bar / timeline.seconds if timeline.seconds else 0
    drawn = ""
    for after, span in reversed(list(enumerate(reversed(row.spans)))):
        until = min(round((span.end - timeline.begin) * per_second), bar - after)
        # What there was is seen, however short.
        drawn += _SIGNS[span.phase] * max(until - len(drawn), 1)
    return f"{_short(row.name, label - 2):{label}}{drawn:{bar}}  {numbers(row)}"


def _axis(seconds: float, bar: int) -> str:
    line = ""
    for mark in marks(seconds, bar // 12):
        place = round(mark / seconds * bar) if seconds else 0
        line = line.ljust(place) + f"|{duration(mark)}"
    return line


def _short(name: str, room: int) -> str:
    return name if len(name) <= room else f"{name[: room - 1]}~"
