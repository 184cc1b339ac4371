# SPDX-License-Identifier: Apache-2.0
"""``heat-config log ID``: what a run has written, and with ``-f`` what it writes."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, BinaryIO

from heat_config import terminal
from heat_config.deployment import valid_id
from heat_config.run import runlog
from heat_config.run.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from heat_config.settings import Settings


def show(config_id: str, settings: Settings, *, follow: bool) -> int:
    """Print a run's log; return the exit status, 1 when there is none."""
    path = _path_of(config_id, settings)
    if path is None:
        nothing = f"heat-config: no run of {config_id!r} has a log in {settings.logs}\n"
        terminal.write(sys.stderr, nothing)
        return 1
    write = terminal.writer_of_bytes(sys.stdout)
    older = runlog.older_part(path)
    if older.is_file():
        with older.open("rb") as file:
            _copy(file, write)
    log: BinaryIO = path.open("rb")
    _copy(log, write)
    while follow and _goes_on(config_id, settings):
        time.sleep(0.3)
        log = _copy_new(log, path, write)
    _copy_new(log, path, write).close()
    return 0


def _path_of(config_id: str, settings: Settings) -> Path | None:
    """Where a run's log is; None where there is none. An id never leads out of the folder."""
    try:
        path = runlog.path_of(valid_id(config_id), settings)
    except ValueError:
        return None
    return path if path.is_file() else None


def _goes_on(config_id: str, settings: Settings) -> bool:
    store = Store(settings)
    return not store.has_ended(config_id) and store.is_running()


def _copy_new(file: BinaryIO, path: Path, write: Callable[[bytes], object]) -> BinaryIO:
    """Print what was added; return the file to go on with, when a long log was cut in two."""
    try:
        current: BinaryIO = path.open("rb")
    except FileNotFoundError:  # it is being cut
        current = file
    _copy(file, write)
    if current is file:
        return file
    if not os.path.sameopenfile(file.fileno(), current.fileno()):
        file, current = current, file
        _copy(file, write)
    current.close()
    return file


def _copy(file: BinaryIO, write: Callable[[bytes], object]) -> None:
    while chunk := file.read(1 << 16):
        write(chunk)
    sys.stdout.flush()
