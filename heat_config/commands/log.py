# SPDX-License-Identifier: Apache-2.0
"""``heat-config log ID``: what a run has written, and with ``-f`` what it writes."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from heat_config import terminal, waiting
from heat_config.commands import status
from heat_config.deployment import valid_id
from heat_config.run import runlog
from heat_config.run.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from heat_config.settings import Settings


# Seconds between two looks.
LOOK_EVERY = 0.3


def show(config_id: str, settings: Settings, *, follow: bool) -> int:
    """Print a run's log; return the exit status, 1 when there is none.

    ``follow``: also what it writes from now on, to its end, whatever becomes of the agent.
    """
    try:  # an id never leads out of the folder
        path = runlog.path_of(valid_id(config_id), settings)
    except ValueError:
        return _without_log(config_id, settings)
    reader = _Reader(path)
    reader.read()
    if follow:
        _follow(config_id, settings, reader)
    return 0 if reader.has_read else _without_log(config_id, settings)


def _without_log(config_id: str, settings: Settings) -> int:
    nothing = f"heat-config: no run of {config_id!r} has a log in {settings.logs}\n"
    terminal.write(sys.stderr, nothing)
    return 1


def _follow(config_id: str, settings: Settings, reader: _Reader) -> None:
    store = Store(settings)
    said = ""
    while _goes_on(config_id, settings, store):
        halt = _halt(config_id, store)
        if halt and halt != said:
            terminal.write(sys.stderr, f"heat-config: {halt}\n")
        said = halt
        time.sleep(LOOK_EVERY)
        reader.read()
    reader.read()


def _goes_on(config_id: str, settings: Settings, store: Store) -> bool:
    """Whether something may still be written: it runs, or Heat asks for it and it has not ended."""
    if store.has_ended(config_id):
        return False
    if store.has_begun(config_id) and store.is_running():
        return True
    newer = waiting.read(settings)
    if newer and newer.asked is not None and config_id in newer.asked:
        return True
    with suppress(status.UnknownError):
        return any(each.id == config_id for each in status.asked(settings))
    return False


def _halt(config_id: str, store: Store) -> str:
    """Why nothing is written at this moment."""
    if not store.has_begun(config_id):
        return f"{config_id} has not begun; waiting"
    if not store.is_running():
        return f"the run of {config_id} was cut; waiting until the agent takes it up again"
    return ""


class _Reader:
    """Prints a log, and then what was added to it, also when it was cut in two or begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._write = terminal.writer_of_bytes(sys.stdout)

    @property
    def has_read(self) -> bool:
        """Whether there was a log."""
        return self._file is not None

    def read(self) -> None:
        """Print what was added since the last time."""
        try:
            current: BinaryIO = self._path.open("rb")
        except (FileNotFoundError, IsADirectoryError):  # it has not begun, or is being cut
            return self._copy(self._file)
        if self._file is None:
            self._begin()
        elif os.path.sameopenfile(self._file.fileno(), current.fileno()):
            current.close()
            return self._copy(self._file)
        else:
            self._copy(self._file)
            self._file.close()
        self._file = current
        return self._copy(current)

    def _begin(self) -> None:
        with suppress(FileNotFoundError), runlog.older_part(self._path).open("rb") as file:
            self._copy(file)

    def _copy(self, file: BinaryIO | None) -> None:
        while file and (chunk := file.read(1 << 16)):
            self._write(chunk)
        sys.stdout.flush()
