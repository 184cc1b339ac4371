# SPDX-License-Identifier: Apache-2.0
"""The parts of a picture as SVG."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

INK, FAINT, LINE = "#33475b", "#5a6b7b", "#c3ccd5"
SANS = "DejaVu Sans, Helvetica, Arial, sans-serif"
MONO = "DejaVu Sans Mono, Menlo, Consolas, monospace"

Value = str | float


def element(name: str, content: str = "", /, **attributes: Value) -> str:
    """One element; ``font_size`` is ``font-size``, and numbers are as short as they can be."""
    given = "".join(f" {key.replace('_', '-')}={_value(each)}" for key, each in attributes.items())
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def _value(value: Value) -> str:
    return quoteattr(value if isinstance(value, str) else f"{value:g}")


def text(x: float, y: float, words: str, /, **attributes: Value) -> str:
    """A line of words."""
    return element("text", escape(words), x=x, y=y, **attributes)


def picture(width: float, height: float, title: str, parts: list[str], font: str = SANS) -> str:
    """The whole."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="{font}" font-size="14">'
    )
    return "\n".join([head, element("title", escape(title)), *parts, "</svg>"]) + "\n"
