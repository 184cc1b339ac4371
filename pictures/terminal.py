# SPDX-License-Identifier: Apache-2.0
"""A command's output, recorded with its times, as a picture of a terminal that shows it again.

Where nothing moves (paper, a reader who wants no motion) the picture is the last screen.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from pictures import svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

# Seconds: the longest pause that is shown as it was, and how long the end stays.
PAUSE, STAYS = 1.0, 6.0
# Of the screen, in characters, lines, and pixels.
COLUMNS, ROWS = 100, 28
_SIZE, _LINE, _CHARACTER = 13, 18, 7.85
_LEFT, _CLOCK, _BAR, _EDGE = 14, 62, 34, 10
WIDTH = _LEFT + _CLOCK + COLUMNS * _CHARACTER + _LEFT
HEIGHT = _BAR + ROWS * _LINE + 2 * _EDGE
_DARK, _TITLE, _LIGHT, _DIM = "#1b2430", "#2b3746", "#d8e0e8", "#7d8c9c"
# The second for those that know no style, the first for those that will not know the second.
_AS_IT_IS: dict[str, svg.Value] = {"style": "white-space:pre", "xml:space": "preserve"}
_STEP, _GOOD, _BAD = "#7cc4f5", "#8fd694", "#ff9b8f"


class Line(NamedTuple):
    """What was written, and when: seconds after the begin."""

    time: float
    text: str


def recorded(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> list[Line]:
    """Run a command in a folder, show what it writes, and keep that with its times.

    The folder's own path, of which nobody else has use, is left out. Raises
    subprocess.CalledProcessError where it fails.
    """
    begun, found = time.monotonic(), []
    with subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            text = line.rstrip().replace(f"{folder}/", "")
            found.append(Line(time.monotonic() - begun, text))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv)
    return found


def drawn(command: str, begun: datetime, lines: Sequence[Line]) -> str:
    """The terminal, with the command and the day in its title."""
    day = f"{begun:%-d %B %Y}"
    said = f"{command}    {day}, in {lines[-1].time:.0f} s; longer pauses are shown as {PAUSE:g} s"
    text = [each for number, line in enumerate(lines) for each in _line(number, line)]
    last = max(len(lines) - ROWS, 0)
    parts = [
        svg.element("style", _motion(lines)),
        svg.element("rect", width=WIDTH, height=HEIGHT, rx=8, fill=_DARK),
        svg.element("rect", width=WIDTH, height=_BAR, rx=8, fill=_TITLE),
        svg.element("rect", y=_BAR - 8, width=WIDTH, height=8, fill=_TITLE),
        *(
            svg.element("circle", cx=_LEFT + 8 + 20 * number, cy=_BAR / 2, r=6, fill=colour)
            for number, colour in enumerate((_BAD, "#f4d27a", _GOOD))
        ),
        svg.text(_LEFT + 76, _BAR / 2 + 5, said, fill=_LIGHT, font_size=_SIZE, **_AS_IT_IS),
        svg.element(
            "clipPath",
            svg.element("rect", y=_top(0) + 1, width=WIDTH, height=ROWS * _LINE),
            id="screen",
        ),
        '<g clip-path="url(#screen)">',
        f'<g id="lines" transform="translate(0 {-last * _LINE})">',
        *text,
        svg.element(
            "rect",
            id="unwritten",
            y=_top(0),
            width=WIDTH,
            height=len(lines) * _LINE,
            fill=_DARK,
            transform=f"translate(0 {len(lines) * _LINE})",
        ),
        "</g>",
        "</g>",
    ]
    return svg.picture(WIDTH, HEIGHT, f"{command}, recorded on {day}", parts, svg.MONO)


def _top(number: int) -> float:
    return _BAR + _EDGE + number * _LINE


def _line(number: int, line: Line) -> Iterator[str]:
    """A line at its place among all, with its time before it."""
    if not line.text:
        return
    y = _top(number) + _SIZE
    yield svg.text(
        _LEFT + _CLOCK - 16, y, f"{line.time:.1f}", text_anchor="end", fill=_DIM, font_size=11
    )
    words = line.text if len(line.text) <= COLUMNS else f"{line.text[: COLUMNS - 1]}…"
    yield svg.text(_LEFT + _CLOCK, y, words, fill=_colour(words), font_size=_SIZE, **_AS_IT_IS)


def _colour(words: str) -> str:
    if words.startswith("==>"):
        return _STEP
    if words.startswith("make "):
        return _BAD if "FAILED" in words else _GOOD
    return _LIGHT


def _motion(lines: Sequence[Line]) -> str:
    """The style that has the lines come when they came, and scroll when the screen is full."""
    moments = list(_moments(lines))
    whole = moments[-1] + STAYS
    scrolled, written = ["0%{transform:none}"], ["0%{transform:none}"]
    for number, moment in enumerate(moments, 1):
        if number < len(moments) and moments[number] - moment < 0.01:
            continue  # the next one comes with it
        at = f"{moment / whole * 100:.2f}%"
        up = max(number - ROWS, 0) * _LINE
        scrolled.append(f"{at}{{transform:translateY({-up}px)}}")
        written.append(f"{at}{{transform:translateY({number * _LINE}px)}}")
    return (
        f"@keyframes scrolled{{{''.join(scrolled)}}}"
        f"@keyframes written{{{''.join(written)}}}"
        "@media (prefers-reduced-motion:no-preference){"
        f"#lines{{animation:scrolled {whole:.1f}s step-end infinite}}"
        f"#unwritten{{animation:written {whole:.1f}s step-end infinite}}}}"
    )


def _moments(lines: Sequence[Line]) -> Iterator[float]:
    """When each is shown, in seconds: as it came, without what of a pause is too long."""
    shown = before = 0.0
    for line in lines:
        shown += min(line.time - before, PAUSE)
        before = line.time
        yield shown
