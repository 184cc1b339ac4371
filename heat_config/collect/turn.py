# SPDX-License-Identifier: Apache-2.0
"""One process at a time collects and applies: an operator may run what the service runs.

Else one would write, and apply, what it has read before the other has taken something newer.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from heat_config import log
from heat_config.collect import systemd

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds between two tries.
TRY_EVERY = 0.2


@contextmanager
def taken(folder: str) -> Iterator[None]:
    """Hold a folder's lock, which ends with the process however that ends; wait for it.

    :raises OSError: the folder can neither be opened nor be made.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - a text
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _locked(descriptor):
            log.info(f"another process is at work in {folder}; waiting until it has ended")
            while not _locked(descriptor):
                systemd.alive()
                time.sleep(TRY_EVERY)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
