# SPDX-License-Identifier: Apache-2.0
"""A picture of boxes and arrows, from a description in YAML.

The description says where the boxes are, in pixels (x, y, width, height), and who leads to whom;
where an arrow begins, bends and ends, and where its words stand, follows from that.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from pictures import svg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a box is, by its colour, and what the legend says of it.
KINDS = {
    "plain": ("#ffffff", ""),
    "queue": ("#e3f0fb", "message queue"),
    "disk": ("#fdf3dc", "on disk, private, durable"),
    "plugin": ("#e6f4e6", "what the plug-in adds to Heat"),
}
_SMALL, _LABEL = 11, 12
_LEGEND = 26
_HEAD = (
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
    f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{svg.INK}"/>'
    "</marker></defs>"
)

_STROKE: dict[str, svg.Value] = {
    "fill": "none",
    "stroke": svg.INK,
    "stroke_width": 1.6,
    "marker_end": "url(#arrow)",
}

_Point = tuple[float, float]


class Box(NamedTuple):
    """Where something is."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> _Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def across(self) -> tuple[float, float]:
        """From its left to its right."""
        return self.x, self.x + self.width

    @property
    def down(self) -> tuple[float, float]:
        """From its top to its bottom."""
        return self.y, self.y + self.height


def drawn(description: Path) -> str:
    """The picture of a description.

    Raises KeyError for an arrow to a box that is not there.
    """
    given = yaml.safe_load(description.read_text(encoding="utf-8"))
    boxes = {name: Box(*each["at"]) for name, each in given["boxes"].items()}
    width, height = given["size"]
    parts = [_HEAD, svg.element("rect", width=width, height=height, fill="#ffffff")]
    for area in given["areas"]:
        parts += _area(area)
    for name, each in given["boxes"].items():
        parts += _box(boxes[name], each)
    for arrow in given["arrows"]:
        parts += _arrow(boxes, arrow)
    for note in given.get("notes", ()):
        x, y = note["at"]
        parts += _words(x, y, note["words"], middle=True)
    used = {each.get("kind", "plain") for each in given["boxes"].values()}
    x, y = given["legend"]
    parts += _legend(x, y, [kind for kind in KINDS if kind in used])
    return svg.picture(width, height, given["title"], parts)


def _area(area: dict[str, Any]) -> Iterator[str]:
    box = Box(*area["at"])
    yield svg.element("rect", **box._asdict(), rx=8, fill="#f4f6f8", stroke=svg.LINE)
    yield svg.text(box.x + 14, box.y + 24, area["name"], font_weight="bold", fill=svg.INK)


def _box(box: Box, given: dict[str, Any]) -> Iterator[str]:
    colour, _ = KINDS[given.get("kind", "plain")]
    yield svg.element("rect", **box._asdict(), rx=5, fill=colour, stroke=svg.INK)
    x, y = box.middle
    lines = given.get("lines", [])
    # Of a box that holds others the name is at its top.
    top = box.y + 26 if given.get("holds") else y + 5 - 8 * len(lines)
    yield svg.text(x, top, given["name"], text_anchor="middle")
    for number, line in enumerate(lines):
        below = top + 18 + 16 * number
        yield svg.text(x, below, line, text_anchor="middle", font_size=_SMALL, fill=svg.FAINT)


def _arrow(boxes: dict[str, Box], given: dict[str, Any]) -> Iterator[str]:
    points = _way(boxes[given["from"]], boxes[given["to"]], given)
    path = " ".join(f"{'L' if at else 'M'}{x:g} {y:g}" for at, (x, y) in enumerate(points))
    dashes = "6 4" if given.get("dashed") else "none"
    yield svg.element("path", d=path, **_STROKE, stroke_dasharray=dashes)
    yield from _label(points, given.get("words", []))


def _way(begin: Box, end: Box, given: dict[str, Any]) -> list[_Point]:
    """From the edge of one box to that of the other: straight where they face each other.

    ``at``: where, in place of the middle of what they share. ``via``: points between.
    """
    via = [(float(x), float(y)) for x, y in given.get("via", ())]
    if via:
        return [_edge(begin, via[0]), *via, _edge(end, via[-1])]
    if shared := _shared(begin.down, end.down):
        y = given.get("at", shared)
        return [_edge(begin, (end.middle[0], y)), _edge(end, (begin.middle[0], y))]
    if shared := _shared(begin.across, end.across):
        x = given.get("at", shared)
        return [_edge(begin, (x, end.middle[1])), _edge(end, (x, begin.middle[1]))]
    corner = (begin.middle[0], end.middle[1])
    if given.get("level"):
        corner = (end.middle[0], begin.middle[1])
    return [_edge(begin, corner), corner, _edge(end, corner)]


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float | None:
    """The middle of what two stretches have in common."""
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low + high) / 2 if low < high else None


def _edge(box: Box, towards: _Point) -> _Point:
    """The point of a box's edge that faces another point, straight across or straight down."""
    x, y = towards
    (left, right), (top, bottom) = box.across, box.down
    if top <= y <= bottom:
        return (right if x > right else left), y
    return x, (bottom if y > bottom else top)


def _label(points: list[_Point], words: list[str]) -> Iterator[str]:
    """Above and below the longest part where that is level, else at its right."""
    if not words:
        return
    (x1, y1), (x2, y2) = max(pairwise(points), key=_length)
    if y1 == y2:
        half = max(len(words) // 2, 1)
        x = (x1 + x2) / 2
        yield from _words(x, y1 - 8 - 16 * (half - 1), words[:half], middle=True)
        yield from _words(x, y1 + 18, words[half:], middle=True)
    else:
        yield from _words(x1 + 12, (y1 + y2) / 2 + 4, words, middle=False)


def _length(part: tuple[_Point, _Point]) -> float:
    (x1, y1), (x2, y2) = part
    return abs(x2 - x1) + abs(y2 - y1)


def _words(x: float, y: float, lines: list[str], *, middle: bool) -> Iterator[str]:
    anchor = "middle" if middle else "start"
    for number, line in enumerate(lines):
        yield svg.text(x, y + 16 * number, line, font_size=_LABEL, text_anchor=anchor, fill=svg.INK)


def _legend(x: float, y: float, kinds: list[str]) -> Iterator[str]:
    said = [KINDS[kind] for kind in kinds if KINDS[kind][1]]
    for number, (colour, meaning) in enumerate(said):
        top = y + _LEGEND * number
        yield svg.element("rect", x=x, y=top, width=16, height=16, fill=colour, stroke=svg.INK)
        yield svg.text(x + 24, top + 13, meaning, font_size=_LABEL)
