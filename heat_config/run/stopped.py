# SPDX-License-Identifier: Apache-2.0
"""Why a run was cut, where the agent had time to note it: systemd asks every process to end first.

A crash, a power cut or a kill leaves no note.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHUTDOWN = "the server was shut down"
TERMINATED = "the agent was asked to end (SIGTERM), by a stop of its service or by hand,"

# What the first process becomes to end all others. The kernel keeps 15 characters of a name.
_LAST = "systemd-shutdow"
# Seconds for systemd to answer.
_PATIENCE = 3.0


@contextmanager
def noted(note: Callable[[str], None]) -> Iterator[None]:
    """Within this: when the agent is asked to end, note why, and let it end as it would have."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        with suppress(OSError):
            note(SHUTDOWN if is_shutting_down() else TERMINATED)
        os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def is_shutting_down() -> bool:
    """Whether the server is on its way down: what fails now may do so for that alone."""
    with suppress(OSError):
        if Path("/proc/1/comm").read_text().strip() == _LAST:
            return True
    with suppress(OSError, subprocess.TimeoutExpired):
        state = subprocess.run(
            ["systemctl", "is-system-running"], capture_output=True, timeout=_PATIENCE, check=False
        )
        return state.stdout.strip() == b"stopping"
    return False
