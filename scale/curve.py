# SPDX-License-Identifier: Apache-2.0
"""The arrival curves as a picture: how many begin in each second of each round."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 760, 120
LEFT, TOP, GAP = 60, 40, 70
_HOOK, _TAKEN = "#1f6feb", "#d1782f"


class Panel(NamedTuple):
    """One round: what began, and what was taken, in each second."""

    title: str
    hooks: Sequence[int]
    taken: Sequence[int]


def drawn(title: str, panels: Sequence[Panel]) -> str:
    """The picture as SVG."""
    height = TOP + len(panels) * (HEIGHT + GAP) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + LEFT + 30} {height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, TOP + 30 + number * (HEIGHT + GAP))
    return "\n".join([*parts, "</svg>\n"])


def _panel(panel: Panel, top: float) -> list[str]:
    seconds = max(len(panel.hooks), len(panel.taken), 1)
    most = max(*panel.hooks, *panel.taken, 1, 1)
    bottom = top + HEIGHT
    axis = f'stroke="#888" d="M{LEFT},{top} V{bottom} H{LEFT + WIDTH}" fill="none"'
    return [
        f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{escape(panel.title)}</text>',
        *_legend(top - 10),
        f"<path {axis}/>",
        _line(panel.hooks, seconds, most, bottom, _HOOK),
        _line(panel.taken, seconds, most, bottom, _TAKEN),
        f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most}/s</text>',
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{LEFT}" y="{bottom + 16}">0 s</text>',
        f'<text x="{LEFT + WIDTH}" y="{bottom + 16}" text-anchor="end">{seconds} s</text>',
    ]


def _legend(y: float) -> list[str]:
    right = LEFT + WIDTH
    return [
        f'<text x="{right - 130}" y="{y}" text-anchor="end" fill="{_HOOK}">hooks begun</text>',
        f'<text x="{right}" y="{y}" text-anchor="end" fill="{_TAKEN}">results taken</text>',
    ]


def _line(counts: Sequence[int], seconds: int, most: int, bottom: float, colour: str) -> str:
    """A step for each second."""
    step = WIDTH / seconds
    steps = [f"V{bottom - count / most * HEIGHT:.1f} h{step:.2f}" for count in counts]
    path = " ".join([f"M{LEFT},{bottom}", *steps, f"V{bottom}"])
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
