# SPDX-License-Identifier: Apache-2.0
"""A timeline as a picture: SVG."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import groupby
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from heat_operator import drawing
from heat_operator.scale import duration, marks
from heat_operator.spans import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heat_operator.spans import Row, Span, Timeline

# Told apart by people who see colours otherwise, too (after Okabe and Ito).
COLOURS = {
    Phase.WAITS: "#e3e8ee",
    Phase.MADE: "#9aa8b7",
    Phase.SERVER: "#0072b2",
    Phase.QUEUE: "#56b4e9",
    Phase.HOOK: "#e69f00",
    Phase.SIGNAL: "#009e73",
    Phase.HEAT: "#cc79a7",
}
INK, FAINT, LINE = "#22303c", "#66788a", "#dde3e9"
CRITICAL, FAILED = "#b8500a", "#b3261e"
BAD = ("FAILED", "UNFINISHED")

# In pixels: the whole, the names at the left, the times at the right, and heights.
WIDTH, _LEFT, _RIGHT, MARGIN = 1100, 230, 190, 24
_ROW, _BAR, _GROUP, _TOP = 26, 14, 30, 96
_LONGEST = 26
_WORDS = 150  # characters of a line at the bottom


class _Drawing:
    """The parts of one picture, from the top down."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._y = float(_TOP)
        self._parts: list[str] = []

    def written(self) -> str:
        """The whole picture."""
        self._head()
        axis = len(self._parts)
        for server, rows in groupby(self._timeline.rows, lambda row: row.server):
            self._text(MARGIN, self._y + 14, _short(server), weight="bold")
            self._y += _GROUP - 6
            for row in rows:
                self._row(row)
            self._y += 8
        self._parts[axis:axis] = self._axis(self._y)
        self._legend()
        self._foot()
        height = round(self._y + MARGIN)
        return "\n".join([*_opened(self._timeline, height), *self._parts, "</svg>"]) + "\n"

    def _head(self) -> None:
        self._text(MARGIN, 40, self._timeline.title, size=20, weight="bold")
        begun = datetime.fromtimestamp(self._timeline.begin, timezone.utc)
        when = f"{begun:%Y-%m-%d %H:%M:%S} UTC, {duration(self._timeline.seconds)} in all"
        self._text(MARGIN, 62, when, colour=FAINT)

    def _axis(self, bottom: float) -> Iterator[str]:
        """The marks and their lines, which lie behind the bars."""
        for mark in marks(self._timeline.seconds):
            x = self._x(self._timeline.begin + mark)
            yield f'<path d="M{x:.1f} {_TOP - 4} V{bottom:.1f}" stroke="{LINE}"/>'
            yield _word(x, _TOP - 12, duration(mark), FAINT, 11, "middle")

    def _row(self, row: Row) -> None:
        top = self._y + (_ROW - _BAR) / 2
        colour = CRITICAL if row.critical else INK
        self._text(MARGIN + 14, top + 11, _short(row.name), colour=colour)
        for span in row.spans:
            self._span(row, span, top)
        if row.critical:
            self._framed(row, top)
        failed = row.status in BAD
        self._text(
            self._x(row.end) + 8,
            top + 11,
            drawing.numbers(row),
            size=11,
            colour=FAILED if failed else FAINT,
            weight="bold" if failed else "normal",
        )
        self._y += _ROW

    def _framed(self, row: Row, top: float) -> None:
        begin = row.end - row.seconds
        x, wide = self._x(begin), max(self._x(row.end) - self._x(begin), 2)
        self._parts.append(
            f'<rect x="{x - 1:.1f}" y="{top - 2:.1f}" width="{wide + 2:.1f}" height="{_BAR + 4}" '
            f'rx="3" fill="none" stroke="{CRITICAL}" stroke-width="1.5"/>'
        )

    def _span(self, row: Row, span: Span, top: float) -> None:
        x = self._x(span.begin)
        thin = span.phase is Phase.WAITS
        y, height = (top + _BAR / 2 - 1, 2) if thin else (top, _BAR)
        # What there was is seen, however short.
        wide = max(self._x(span.end) - x, 2)
        said = escape(f"{row.name}: {span.phase.value}: {duration(span.seconds)}")
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height}" '
            f'fill="{COLOURS[span.phase]}"><title>{said}</title></rect>'
        )

    def _legend(self) -> None:
        self._y += 26
        used = {span.phase for row in self._timeline.rows for span in row.spans}
        x = float(MARGIN)
        for phase in (each for each in Phase if each in used):
            wide = 40 + 6.6 * len(phase.value)
            if x + wide > WIDTH:
                x, self._y = float(MARGIN), self._y + 22
            colour = COLOURS[phase]
            self._parts.append(
                f'<rect x="{x:.0f}" y="{self._y - 10:.0f}" width="12" height="12" fill="{colour}"/>'
            )
            self._text(x + 18, self._y, phase.value, size=12)
            x += wide
        self._y += 8

    def _foot(self) -> None:
        for line in (*drawing.path(self._timeline), *self._timeline.notes):
            colour = CRITICAL if line.startswith("*") else FAINT
            for part in drawing.folded(line.split(", "), ", ", _WORDS):
                self._y += 20
                self._text(MARGIN, self._y, part, size=12, colour=colour)

    def _x(self, moment: float) -> float:
        room = WIDTH - _LEFT - _RIGHT
        whole = self._timeline.seconds or 1
        return _LEFT + (moment - self._timeline.begin) / whole * room

    def _text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 13,
        colour: str = INK,
        weight: str = "normal",
    ) -> None:
        self._parts.append(_word(x, y, words, colour, size, "start", weight))


def svg(timeline: Timeline) -> str:
    """The picture as a file of its own."""
    return _Drawing(timeline).written()


def _opened(timeline: Timeline, height: int) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif">',
        f"<title>{escape(timeline.title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]


def _word(
    x: float, y: float, words: str, colour: str, size: int, anchor: str, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight={quoteattr(weight)} '
        f'text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
