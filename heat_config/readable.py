# SPDX-License-Identifier: Apache-2.0
"""JSON from outside, made such that every program on a server can read it.

The metadata are read by the collector, os-apply-config, its templates, the agent and the hooks. One
value that one of them cannot read would stop all that comes with it.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

DEEPEST = 100
"""How deep JSON from outside may be nested. Python's own limit is about 1 000 calls, and what
reads the metadata on a server takes up to two for each level and copies it on the way."""
LONGEST_NUMBER = 300
"""Digits of an integer; Python refuses more than 4 300 as a text, and JSON's are 64 bits."""
LEFT_OUT = "heat-config: left out, because it is "
TOO_DEEP = f"{LEFT_OUT}nested in more than {DEEPEST} levels"
TOO_LONG = f"{LEFT_OUT}a number of more than {LONGEST_NUMBER} digits"

_TOKENS = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"'  # a text
    r"|[\[{\]}]"
    rf"|(?<![\d.eE+-])-?\d{{{LONGEST_NUMBER + 1},}}(?![\d.eE])"
)


def shallow(text: str) -> str:
    """JSON that any program can read: what nobody could is replaced by a text that says so.

    That is what is nested too deep, or a number that is too long. What is no JSON stays what it is.
    """
    kept, done, depth = [], 0, 0
    for token in _TOKENS.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[done : token.start()])
        elif first in "]}":
            if depth == DEEPEST + 1:
                kept.append(json.dumps(TOO_DEEP))
                done = token.end()
            depth -= 1
        elif first != '"' and depth <= DEEPEST:
            kept += text[done : token.start()], json.dumps(TOO_LONG)
            done = token.end()
    # Cut off while it was too deep: nothing that could be read.
    return "".join([*kept, text[done:]]) if depth <= DEEPEST else ""


def loads(text: str | bytes) -> Any:
    """JSON from outside, as JSON can be written again: what is no number of it is its own text.

    Python reads and writes ``NaN`` and ``Infinity``, which others refuse, and takes ``1e999`` for
    that.

    :raises ValueError: it is no JSON.
    """
    plain = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return json.loads(shallow(plain), parse_constant=str, parse_float=_finite)


def own(text: str | bytes) -> Any:
    """JSON that this server has written itself: as it was written, whatever it holds.

    :raises ValueError: it is no JSON, or cannot be what was written.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"it is {TOO_DEEP.removeprefix(LEFT_OUT)}") from None


def _finite(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def encodable(value: Any) -> Any:
    """The same JSON without lone halves of a character, which no file can hold: they become "?"."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode(errors="replace"))
    return value


def left_out(value: object) -> str | None:
    """What :func:`shallow` has left out of a value, the first of it; None when nothing."""
    try:
        text = json.dumps(value)
    except RecursionError:  # it has not been through shallow()
        return TOO_DEEP.removeprefix(LEFT_OUT)
    if LEFT_OUT not in text:
        return None
    found = [each for each in (TOO_DEEP, TOO_LONG) if json.dumps(each) in text]
    return found[0].removeprefix(LEFT_OUT) if found else None
