# SPDX-License-Identifier: Apache-2.0
"""``heat-config log ID``: what a run has written, and with ``-f`` what it writes."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, BinaryIO

from heat_config.run import runlog
from heat_config.run.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from heat_config.settings import Settings


def show(config_id: str, settings: Settings, *, follow: bool) -> int:
    """Print a run's log; return the exit status, 1 when there is none."""
    path = runlog.path_of(config_id, settings)
    if not path.is_file():
        print(f"heat-config: no run of {config_id!r} has a log in {settings.logs}", file=sys.stderr)
        return 1
    older = runlog.older_part(path)
    if older.is_file():
        _print(older)
    file: BinaryIO = path.open("rb")
    _copy(file)
    while follow and _goes_on(config_id, settings):
        time.sleep(0.3)
        file = _copy_new(file, path)
    _copy_new(file, path).close()
    return 0


def _goes_on(config_id: str, settings: Settings) -> bool:
    store = Store(settings)
    return not store.has_ended(config_id) and store.is_running()


def _copy_new(file: BinaryIO, path: Path) -> BinaryIO:
    """Print what was added; return the file to go on with, when a long log was cut in two."""
    try:
        current: BinaryIO = path.open("rb")
    except FileNotFoundError:  # it is being cut
        current = file
    _copy(file)
    if current is file:
        return file
    if not os.path.sameopenfile(file.fileno(), current.fileno()):
        file, current = current, file
        _copy(file)
    current.close()
    return file


def _print(path: Path) -> None:
    with path.open("rb") as file:
        _copy(file)


def _copy(file: BinaryIO) -> None:
    while chunk := file.read(1 << 16):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
