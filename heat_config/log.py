# SPDX-License-Identifier: Apache-2.0
"""Lines for the journal, without a secret in them.

Everything goes to stderr. Where that leads to the journal, as in os-collect-config's service, a
line is an entry with a priority and with fields; elsewhere it begins with its time. The standard
library's logging is left out on purpose: importing it takes longer than a whole run with nothing
to do.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from heat_config import journal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from heat_config.events import Event
    from heat_config.mask import Mask

# The one that is used, from the first secret on.
_masks: list[Mask] = []
# What the lines of this moment are about.
_facts: dict[str, object] = {}


def conceal(secrets: Iterable[str]) -> None:
    """From now on never write one of these texts, in whatever spelling."""
    from heat_config.mask import Mask  # a run with nothing to do has nothing to hide

    if not _masks:
        _masks.append(Mask())
    _masks[0].add(secrets)


def masked(text: str) -> str:
    """A text without them."""
    return _masks[0](text) if _masks else text


def end_of_piece(line: bytes) -> int:
    """Where the first piece of a long line ends, so that none of them is in two halves."""
    return _masks[0].end_of_piece(line) if _masks else len(line)


def debug(message: str, event: Event | None = None, **facts: object) -> None:
    """What only matters when something is looked for: hooks' lines, the steps in between."""
    _write(_DEBUG, message, event, facts)


def info(message: str, event: Event | None = None, **facts: object) -> None:
    """What the agent does: a handful of lines for a change."""
    _write(_INFO, message, event, facts)


def warning(message: str, event: Event | None = None, **facts: object) -> None:
    """What has failed, or will be tried again."""
    _write(_WARNING, message, event, facts)


def error(message: str, event: Event | None = None, **facts: object) -> None:
    """What needs somebody."""
    _write(_ERROR, message, event, facts)


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """What is written within this says so: each fact is a field ``HEAT_…`` of the journal.

    docs/watching.md lists them.
    """
    before = dict(_facts)
    _facts.update(facts)
    try:
        yield
    finally:
        _facts.clear()
        _facts.update(before)


def plain(message: str) -> None:
    """A line that its reader, the agent, will stamp: what a hook says."""
    # Whatever the locale or the reader is, a log line is never a reason to fail.
    with suppress(OSError):  # the journal was restarted, or its reader has gone
        terminal.write(sys.stderr, masked(message) + "\n")


class _Level(NamedTuple):
    name: str
    priority: int


_DEBUG = _Level("DEBUG", journal.DEBUG)
_INFO = _Level("INFO", journal.INFO)
_WARNING = _Level("WARNING", journal.WARNING)
_ERROR = _Level("ERROR", journal.ERROR)


def _write(level: _Level, message: str, event: Event | None, facts: Mapping[str, object]) -> None:
    if journal.takes(sys.stderr):
        with suppress(OSError):  # what is too large for an entry is lines
            return journal.send(_fields(level, message, event, facts))
        prefix = f"<{level.priority}>"
        return plain(prefix + message.replace("\n", f"\n{prefix}    "))
    message = message.replace("\n", "\n    ")  # only a new line of the log begins with its time
    return plain(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] (heat-config) [{level.name}] {message}")


def _fields(
    level: _Level, message: str, event: Event | None, facts: Mapping[str, object]
) -> dict[str, str]:
    given = {name: value for name, value in {**_facts, **facts}.items() if value is not None}
    unit = journal.unit()
    return {
        "MESSAGE": masked(message),
        "PRIORITY": str(level.priority),
        "SYSLOG_IDENTIFIER": os.path.basename(sys.argv[0]) or "heat-config",  # noqa: PTH119 - quick
        # The journal cannot ask a process that has ended which service it belonged to.
        **({"OBJECT_SYSTEMD_UNIT": unit} if unit else {}),
        **({"MESSAGE_ID": event.value} if event else {}),
        **{f"HEAT_{name.upper()}": masked(str(value)) for name, value in given.items()},
    }
