# SPDX-License-Identifier: Apache-2.0
"""The command that applies what was collected, os-refresh-config, while the collector runs it.

The collector notes it, ``heat-config status`` shows it: else a script that hangs before the agent
is begun looks as if nothing had come. The note is in memory, beside what the agent reads.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config import files, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heat_config.settings import Settings


class Applying(NamedTuple):
    """What runs."""

    since: float
    """Seconds since the epoch."""
    command: str
    """The program's name, without its arguments."""
    pid: int
    """The collector's process; what it has noted is void once it has ended."""


@contextmanager
def noted(settings: Settings, command: str) -> Iterator[None]:
    """Note that a program runs; nothing of its work depends on the note."""
    path = _path(settings)
    with suppress(OSError):
        files.make_private_folder(path.parent)
        files.write_json(path, Applying(time.time(), command, os.getpid()))
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def read(settings: Settings) -> Applying | None:
    """What runs at this moment; None when nothing does."""
    with suppress(OSError, ValueError, TypeError):
        since, command, pid = readable.own(_path(settings).read_bytes())
        os.kill(int(pid), 0)
        return Applying(float(since), str(command), int(pid))
    return None


def _path(settings: Settings) -> Path:
    return Path(settings.config_file).parent / "applying.json"
