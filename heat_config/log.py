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


def masked_lines(text: str) -> str:
    """Lines, each without them as if it stood alone; most have none, and are looked at once."""
    return text if masked(text) == text else "\n".join(map(masked, text.split("\n")))


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


def output(name: str, lines: str, event: Event) -> None:
    """Lines that a hook has written, each behind a name; the journal has them in one entry.

    They have been masked: more is done with them than to write them here.
    """
    begin = f"{masked(name)}: "
    message = begin + lines.replace("\n", f"\n{begin}")
    if not _is_entry(_DEBUG, message, event, {}):
        begin = _begin(_DEBUG)
        _write_out(begin + message.replace("\n", f"\n{begin}"))


def plain(message: str) -> None:
    """A line that its reader, the agent, will stamp: what a hook says."""
    _write_out(masked(message))


def plain_lines(lines: str) -> None:
    """The same for lines of others, of the hook's tool."""
    _write_out(masked_lines(lines))


def _write_out(text: str) -> None:
    # Whatever the locale or the reader is, a log line is never a reason to fail.
    with suppress(OSError):  # the journal was restarted, or its reader has gone
        terminal.write(sys.stderr, text + "\n")


class _Level(NamedTuple):
    name: str
    priority: int


_DEBUG = _Level("DEBUG", journal.DEBUG)
_INFO = _Level("INFO", journal.INFO)
_WARNING = _Level("WARNING", journal.WARNING)
_ERROR = _Level("ERROR", journal.ERROR)


def _write(level: _Level, message: str, event: Event | None, facts: Mapping[str, object]) -> None:
    message = masked(message)
    if _is_entry(level, message, event, facts):
        return
    begin = _begin(level)
    # Only a new line of the log begins with its time.
    more = f"{begin}    " if journal.takes(sys.stderr) else "    "
    _write_out(begin + message.replace("\n", f"\n{more}"))


def _is_entry(
    level: _Level, message: str, event: Event | None, facts: Mapping[str, object]
) -> bool:
    """Write an entry of the journal, where stderr leads to it; what is too large is none."""
    if not journal.takes(sys.stderr):
        return False
    try:
        journal.send(_fields(level, message, event, facts))
    except OSError:
        return False
    return True


def _begin(level: _Level) -> str:
    """How a line begins."""
    if journal.takes(sys.stderr):
        return f"<{level.priority}>"
    return f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] (heat-config) [{level.name}] "


def _fields(
    level: _Level, message: str, event: Event | None, facts: Mapping[str, object]
) -> dict[str, str]:
    given = {name: value for name, value in {**_facts, **facts}.items() if value is not None}
    unit = journal.unit()
    return {
        "MESSAGE": message,
        "PRIORITY": str(level.priority),
        "SYSLOG_IDENTIFIER": os.path.basename(sys.argv[0]) or "heat-config",  # noqa: PTH119 - quick
        # The journal cannot ask a process that has ended which service it belonged to.
        **({"OBJECT_SYSTEMD_UNIT": unit} if unit else {}),
        **({"MESSAGE_ID": event.value} if event else {}),
        **{f"HEAT_{name.upper()}": masked(str(value)) for name, value in given.items()},
    }
