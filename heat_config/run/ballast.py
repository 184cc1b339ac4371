# SPDX-License-Identifier: Apache-2.0
"""Room for an answer on a disk that is full.

A file beside the outbox takes up space that is not needed, until the disk is
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
    """The file; it stands in the folder that holds the outbox."""

    def __init__(self, outbox: str) -> None:
        self._path = Path(outbox).parent / ".ballast"

    def take_on(self) -> None:
        """Write it unless it is there. That it does not fit is no fault."""
        try:
            if self._path.stat().st_size == SIZE:
                return
        except FileNotFoundError:
            pass
        try:
            files.write_private(self._path, "")
            with self._path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, SIZE)
        except OSError:
            self._path.unlink(missing_ok=True)

    def drop(self, error: OSError) -> bool:
        """Make room after an error; return whether another try makes sense."""
        if not is_full(error):
            return False
        self._path.unlink(missing_ok=True)
        return True


def is_full(error: OSError) -> bool:
    """Whether an error says that a disk is full, or its owner's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
