# SPDX-License-Identifier: Apache-2.0
"""What a run has written, in full, for its operator: ``/var/log/heat-config/<id>.log``.

All logs together have a limit; those of results that are
pending are never removed for it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from io import FileIO

    from heat_config.settings import Settings


# Bytes of a log's end in which its last line is looked for.
LAST = 4096


class RunLog:
    """The log of one run; of one that is too long the later half is kept.

    What cannot be written, because the disk is full for example, is lines of the
    log that are lost: never the run.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._older = older_part(path)
        self._part_size = size // 2
        self._file: FileIO | None = None
        self._incomplete = False
        try:
            files.make_private_folder(path.parent)
            self._older.unlink(missing_ok=True)
            self._open()
        except OSError as error:
            self._lose(error)

    def write(self, lines: str) -> None:
        """Add lines, which have been masked."""
        data = (lines + "\n").encode("utf-8", "replace")
        try:
            file = self._file or self._open()
            self._written += file.write(data)
            if self._written > self._part_size:
                self.close()
                self.path.replace(self._older)
                self._open()
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _open(self) -> FileIO:
        files.write_private(self.path, "")
        # Unbuffered, for whoever follows it, and so that a crash loses nothing.
        self._file = self.path.open("ab", buffering=0)
        self._written = 0
        return self._file

    def _lose(self, error: OSError) -> None:
        if not self._incomplete:
            log.warning(f"{self.path} is not complete: {error}")
        self._incomplete = True


def path_of(config_id: str, settings: Settings) -> Path:
    """Where a run's log stands."""
    return Path(settings.logs, f"{config_id}.log")


def older_part(path: Path) -> Path:
    """Where the earlier lines of a long log stand."""
    return path.with_name(path.name + ".1")


def tail(path: Path, size: int) -> str:
    """The end of a log, at most so many bytes; nothing when there is none."""
    end = _end(path, size)
    earlier = _end(older_part(path), size - len(end))
    return (earlier + end).decode("utf-8", "replace")


def last_line(path: Path) -> str:
    """The last line of a log that has something in it; of a long one the end."""
    written = tail(path, LAST).splitlines()
    return next((line for line in reversed(written) if line.strip()), "")


class Logs:
    """All logs together, which have a limit."""

    def __init__(self, settings: Settings) -> None:
        self._folder = Path(settings.logs)
        self._size = settings.logs_size
        self._added = 0

    def prune_when_large(self, config_id: str, keep: Callable[[], Collection[str]]) -> None:
        """After a run: prune them when its runs may have made them too large.

        ``keep``: the configs whose logs stay.
        """
        with suppress(OSError):
            self._added += (self._folder / f"{config_id}.log").stat().st_size
        if self._added > self._size // 4:
            self.prune(keep())

    def prune(self, keep: Collection[str], size: int | None = None) -> None:
        """Remove the oldest until all together have at most ``size`` bytes.

        ``keep``: the configs whose logs stay, because their results are pending.
        """
        self._added = 0
        found = sorted(_seen(self._folder))
        total = sum(each for _, each, _ in found)
        for _, each, path in found:
            if total <= (self._size if size is None else size):
                return
            if _config_of(path) not in keep and _is_removed(path):
                total -= each


def _seen(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """The logs that are there, each with its time and its bytes."""
    for path in folder.glob("*.log*"):
        with suppress(OSError):  # removed by another, or nothing that can be looked at
            if path.is_file() and _config_of(path):
                found = path.stat()
                yield found.st_mtime_ns, found.st_size, path


def _is_removed(path: Path) -> bool:
    """Remove a log; one that cannot be removed is no reason to stop."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning(f"{path}: {error.strerror}")
        return False
    return True


def _config_of(path: Path) -> str:
    """The id of the config whose log this is; nothing when it is no log."""
    name = path.name.removesuffix(".1")
    return name.removesuffix(".log") if name.endswith(".log") else ""


def _end(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read(size)
    except OSError:
        return b""
