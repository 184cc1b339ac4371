# SPDX-License-Identifier: Apache-2.0
"""The process that holds a container, found again by its id: what runs below it, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from ..errors import LabError
from ..process import start_time


class Supervisor(NamedTuple):
    """The supervisor of a container, started by this program or by an earlier one."""

    server: str
    """The server's name, for errors."""
    pid: int
    child: subprocess.Popen[bytes] | None = None
    """The same, where this program has started it."""

    def leader(self) -> int:
        """Return the pid of the container's process 1 once one can talk to it, else 0."""
        for nspawn in children(self.pid):
            for pid in children(nspawn):
                if _is_ready(pid):
                    return pid
        return 0

    def has_ended(self) -> bool:
        """Say whether it is gone. Of a child of this program nothing is left then.

        A child that has ended keeps its id until it is waited for: only that tells its end.
        """
        if self.child:
            return self.child.poll() is not None
        return start_time(self.pid) is None

    def stop(self, leader: int, *, timeout: float) -> None:
        """Power the container off; after so many seconds (0: at once) cut its power.

        Nothing of it is left on return. Raise LabError when it does not end.
        """
        if timeout:
            _signal(self.pid, signal.SIGTERM)
            if self._ended(timeout):
                return
        self._cut_power(leader)

    def _cut_power(self, leader: int) -> None:
        """End it at once. Its process 1 takes all others along, and nspawn ends after it.

        A killed nspawn would leave them all behind, so that comes last.
        """
        for pids in ([leader] if leader else [], children(self.pid)):
            for pid in pids:
                _signal(pid, signal.SIGKILL)
            if pids and self._ended(60):
                return
        if not self._ended(0):
            raise LabError(f"the server {self.server} does not end (process {self.pid})")

    def _ended(self, timeout: float) -> bool:
        """Say whether it ends in time."""
        deadline = time.monotonic() + timeout
        while not self.has_ended():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True


def children(pid: int) -> list[int]:
    """Return the ids of a process's children."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _is_ready(pid: int) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        return name == "systemd" and Path(f"/proc/{pid}/root/run/systemd/private").exists()
    except OSError:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
