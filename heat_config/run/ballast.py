# SPDX-License-Identifier: Apache-2.0
"""Room for an answer on a disk that is full.

A file in the agent's folders takes up space that is not needed, until the disk is
full: then it goes, and what must be noted fits into its place.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from heat_config import files

# Bytes: a config as large as Heat can send over Zaqar, twice.
SIZE = 524_288


class Ballast:
    """The files: one on each file system that holds one of these folders."""

    def __init__(self, *folders: str) -> None:
        devices = {Path(each).stat().st_dev: Path(each) for each in folders}
        self._folders = list(devices.values())

    def take_on(self) -> None:
        """Write them unless they are there.

        :raises OSError: a folder cannot be written, or is full: what is run now might
            find no room for its result.
        """
        for folder in self._folders:
            if not os.access(folder, os.W_OK):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))
            _fill(folder / ".ballast")

    def drop(self, error: OSError) -> bool:
        """Make room after an error; return whether another try makes sense."""
        if not is_full(error):
            return False
        for folder in self._folders:
            (folder / ".ballast").unlink(missing_ok=True)
        return True


def is_full(error: OSError) -> bool:
    """Whether an error says that a disk is full, or its owner's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _fill(path: Path) -> None:
    if path.is_file() and path.stat().st_size == SIZE:
        return
    try:
        files.write_private(path, "")
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, SIZE)
    except OSError:
        path.unlink(missing_ok=True)
        raise
