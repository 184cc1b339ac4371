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

from heat_config import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

_secrets: set[str] = set()


def conceal(secrets: Iterable[str]) -> None:
    """From now on never write one of these texts."""
    _secrets.update(secrets)


def concealed() -> frozenset[str]:
    """All of these texts."""
    return frozenset(_secrets)


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
    encoding = sys.stderr.encoding or "ascii"
    line = redact.text(message, _secrets) + "\n"
    with suppress(OSError):  # the journal was restarted, or its reader has gone
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()


def _write(level: str, message: str) -> None:
    plain(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] (heat-config) [{level}] {message}")
