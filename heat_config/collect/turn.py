# SPDX-License-Identifier: Apache-2.0
"""One process at a time collects and applies: an operator may run what the service runs.

Else one would write, and apply, what it has read before the other has taken something newer.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, log
from heat_config.collect import systemd

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds between two tries.
TRY_EVERY = 0.2


@contextmanager
def taken(folder: str) -> Iterator[None]:
    """Hold a folder's lock; wait for it, and feed the watchdog meanwhile.

    :raises OSError: the folder can neither be opened nor be made.
    """
    files.make_private_folder(Path(folder))
    if files.is_locked(folder):
        log.info(f"another process is at work in {folder}; waiting until it has ended")
    with files.locked(folder, _wait):
        yield


def _wait() -> None:
    systemd.alive()
    time.sleep(TRY_EVERY)
