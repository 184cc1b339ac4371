# SPDX-License-Identifier: Apache-2.0
"""Newer metadata that are on this server's disk, and wait until the command that runs has ended.

The collector notes it, ``heat-config status`` shows it. The note is in memory, beside what the
agent reads: after a reboot nothing waits.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import files, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heat_config.settings import Settings


class Waiting(NamedTuple):
    """What waits."""

    since: float
    """Seconds since the epoch: when the first of it came."""
    sources: tuple[str, ...]
    """The collectors that it is from."""
    pid: int
    """The collector's process; what it has noted is void once it has ended."""
    asked: dict[str, tuple[str, str]] | None = None
    """Name and group of each config that Heat asks for by now, by its id; None where what is
    newer is not Heat's word."""


def note(
    settings: Settings, sources: Sequence[str], asked: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Note that something newer of these collectors is there.

    :raises OSError: it cannot be written.
    """
    before = read(settings)
    since = before.since if before else time.time()
    path = _path(settings)
    files.make_private_folder(path.parent)
    noted = None if asked is None else dict(asked)
    files.write_json(path, Waiting(since, tuple(sources), os.getpid(), noted))


def clear(settings: Settings) -> None:
    """Note that nothing waits any more.

    :raises OSError: the note cannot be removed.
    """
    _path(settings).unlink(missing_ok=True)


def read(settings: Settings) -> Waiting | None:
    """What waits; None when nothing does."""
    with suppress(OSError, ValueError, TypeError):
        since, sources, pid, asked = readable.own(_path(settings).read_bytes())
        os.kill(int(pid), 0)
        items = None if asked is None else {str(each): _named(asked[each]) for each in asked}
        return Waiting(float(since), tuple(map(str, sources)), int(pid), items)
    return None


def _named(pair: Any) -> tuple[str, str]:
    name, group = pair
    return str(name), str(group)


def _path(settings: Settings) -> Path:
    return Path(settings.config_file).parent / "newer.json"
