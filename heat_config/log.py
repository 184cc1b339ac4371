# SPDX-License-Identifier: Apache-2.0
"""Lines for the journal, without a secret in them.

Everything goes to stderr, which os-collect-config's service hands to the
journal. The standard library's logging is left out on purpose: importing it
takes longer than a whole run with nothing to do.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from heat_config import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heat_config.mask import Mask

# The one that is used, from the first secret on.
_masks: list[Mask] = []


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


def info(message: str) -> None:
    """What the agent does."""
    _write("INFO", message)


def warning(message: str) -> None:
    """What will be tried again."""
    _write("WARNING", message)


def error(message: str) -> None:
    """What needs somebody."""
    _write("ERROR", message)


def plain(message: str) -> None:
    """A line that its reader, the agent, will stamp: what a hook says."""
    # Whatever the locale or the reader is, a log line is never a reason to fail.
    with suppress(OSError):  # the journal was restarted, or its reader has gone
        terminal.write(sys.stderr, masked(message) + "\n")


def _write(level: str, message: str) -> None:
    message = message.replace("\n", "\n    ")  # only a new line of the log begins with its time
    plain(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] (heat-config) [{level}] {message}")
