# SPDX-License-Identifier: Apache-2.0
"""The chart: each figure as bars of ours, the peer and the floor, on a scale of its own.

Less is better in all of them. A goal is a mark on the scale, where it would be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bench.figure import Against, Figure, Sample
from bench.table import number, outcome

COLOURS = {"ours": "#1f6feb", "peer": "#8c959f", "floor": "#d0d7de"}
MET, MISSED, INK = "#1a7f37", "#cf222e", "#24292f"
# Legible where a mark goes through it.
_ON_TOP = 'font-size="11" stroke="#ffffff" stroke-width="3" paint-order="stroke"'
# Pixels.
WIDTH, LABEL, BAR, NUMBER = 1020, 390, 380, 80
HEIGHT, GAP, HEADING, TOP = 12, 12, 18, 62


def svg(figures: Sequence[Figure], title: str) -> str:
    """All of it."""
    y, parts = TOP, list[str]()
    for figure in figures:
        height = _height(figure)
        parts += _figure(figure, y)
        y += height + GAP
    return "\n".join([*_begin(y, title), *parts, "</svg>"]) + "\n"


def _begin(height: int, title: str) -> Iterator[str]:
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    yield _text(12, 24, title, 'font-size="15" font-weight="bold"')
    x = 12
    for name, colour in COLOURS.items():
        yield f'<rect x="{x}" y="36" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 17, 46, name)
        x += 70
    yield _text(x, 46, "median; the line: from least to most; less is better; | goal")


def _height(figure: Figure) -> int:
    return max(HEIGHT * len(_samples(figure)), HEADING)


def _samples(figure: Figure) -> list[tuple[str, Sample]]:
    found = (("ours", figure.ours), ("peer", figure.peer), ("floor", figure.floor))
    return [(name, sample) for name, sample in found if sample]


def _figure(figure: Figure, top: int) -> Iterator[str]:
    samples = _samples(figure)
    marks = _marks(figure)
    largest = max([*(each.most for _, each in samples), *(at for at, _ in marks)], default=0) or 1
    scale = BAR / largest
    yield _text(LABEL - 10, top + 11, f"{figure.name}, {figure.unit}", 'text-anchor="end"')
    for number_of, (name, sample) in enumerate(samples):
        yield from _bar(sample, COLOURS[name], top + number_of * HEIGHT, scale)
    for at, colour in marks:
        x = LABEL + at * scale
        line = f'x1="{x:.1f}" x2="{x:.1f}" y1="{top - 3}" y2="{top + _height(figure) + 1}"'
        yield f'<line {line} stroke="{colour}" stroke-width="2"/>'
    for number_of, (_, sample) in enumerate(samples):
        y = top + number_of * HEIGHT + HEIGHT - 2
        yield _text(LABEL + sample.most * scale + 6, y, number(sample.median), _ON_TOP)
    verdicts = figure.verdicts
    if verdicts:
        colour = MET if all(each.is_met for each in verdicts) else MISSED
        said = ", ".join(dict.fromkeys(map(outcome, verdicts)))
        yield _text(LABEL + BAR + NUMBER, top + 11, said, colour=colour)


def _bar(sample: Sample, colour: str, y: int, scale: float) -> Iterator[str]:
    end, middle = LABEL + sample.most * scale, y + HEIGHT / 2 - 1
    size = f'width="{sample.median * scale:.1f}" height="{HEIGHT - 2}"'
    yield f'<rect x="{LABEL}" y="{y}" {size} fill="{colour}"/>'
    line = f'x1="{LABEL + sample.least * scale:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"'
    yield f'<line {line} stroke="{INK}" stroke-width="1"/>'


def _marks(figure: Figure) -> list[tuple[float, str]]:
    """Where on the figure's scale its goals would be reached."""
    others = {Against.PEER: figure.peer, Against.FLOOR: figure.floor}
    found = []
    for verdict in figure.verdicts:
        goal, other = verdict.goal, others.get(verdict.goal.against)
        if goal.against is Against.NOTHING or other:
            at = goal.most * (other.median if other else 1)
            found.append((at, MET if verdict.is_met else MISSED))
    return found


def _text(x: float, y: float, text: str, attributes: str = "", *, colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y}" fill="{colour}" {attributes}>{escape(text)}</text>'
