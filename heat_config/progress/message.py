# SPDX-License-Identifier: Apache-2.0
"""One message of a run's progress: what the server writes, and whoever watches reads.

docs/watching.md describes the format, which is stable. No I/O.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = 1
# Bytes of a message's body as ASCII JSON.
LARGEST = 32_768
# More than any number in a message is; as seconds it is a time that has a date.
MOST = 10_000_000_000
# Characters of a line; what is longer is cut.
LONGEST_LINE = 4096
# Seconds between two messages of a run, unless it is the last.
EVERY = 2.0
# The same while it says nothing: that it goes on.
ALIVE_EVERY = 30.0
# Seconds without a message after which one that runs may have been killed.
SILENT_AFTER = 3 * ALIVE_EVERY


class Phase(Enum):
    """How far a deployment has come on its server."""

    RECEIVED = "received"
    RUNNING = "running"
    ENDED = "ended"


class Progress(NamedTuple):
    """What one message says."""

    config_id: str
    run: str
    """A random text: which run of the config it is, and which try of the agent."""
    number: int
    """Which message of that, from 0 on. One that is missing was lost, or has grown old."""
    phase: Phase
    seconds: float
    """For how long it is in this phase, or, when it has ended, for how long it ran."""
    hook: str = ""
    """The group whose hook runs it; empty before it has begun."""
    time_limit: float | None = None
    """Seconds that the hook may take."""
    left_out: int = 0
    """How many lines before these were left out."""
    lines: tuple[str, ...] = ()
    status_code: str = ""
    """Of one that has ended."""
    signal: str = ""
    """Of one that has ended: whether Heat has its result, as in ``heat-config status``."""


_TYPES: Mapping[str, tuple[type, ...]] = {
    "deploy_config_id": (str,),
    "run": (str,),
    "number": (int,),
    "phase": (str,),
    "seconds": (int, float),
    "hook": (str,),
    "time_limit": (int, float, type(None)),
    "left_out": (int,),
    "lines": (list,),
    "status_code": (str,),
    "signal": (str,),
}


def body(said: Progress) -> dict[str, Any]:
    """As it is posted."""
    written = {**said._asdict(), "phase": said.phase.value, "lines": list(said.lines)}
    return {"heat_progress": VERSION, "deploy_config_id": written.pop("config_id"), **written}


def read(found: object) -> Progress | None:
    """What a message says; None where it is none that can be read.

    A server may post what it likes: of a newer version what is known here is read.
    """
    if not isinstance(found, dict) or not isinstance(found.get("heat_progress"), int):
        return None
    given: dict[str, Any] = {name: found.get(name) for name in _TYPES}
    if not all(_is(given[name], kinds) for name, kinds in _TYPES.items()):
        return None
    try:
        phase = Phase(given.pop("phase"))
    except ValueError:
        return None
    lines = given.pop("lines")
    if not all(isinstance(line, str) for line in lines):
        return None
    config_id = given.pop("deploy_config_id")
    return Progress(config_id=config_id, phase=phase, lines=tuple(lines), **given)


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    if not isinstance(value, kinds) or isinstance(value, bool):
        return False
    # What is no number, or has no end, is none of these either.
    return not isinstance(value, int | float) or 0 <= value <= MOST


def room(said: Progress) -> int:
    """Bytes that are left for lines."""
    return LARGEST - len(json.dumps(body(said)))


def fitting(lines: Iterable[str], size: int) -> list[str]:
    """The first of these lines, as many as fit into so many bytes."""
    found = []
    for line in lines:
        size -= len(json.dumps(line)) + 2
        if size < 0:
            break
        found.append(line)
    return found


def cut(line: str) -> str:
    """A line, of which what is too long is left out."""
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]} … ({len(line)} characters)"
