# SPDX-License-Identifier: Apache-2.0
"""A schedule's server: a folder with files, and the project's programs as processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from faults.nursery import INJECT, REPOSITORY, Child, Nursery
from faults.schedule import Crash

# Seconds after which a program hangs.
PATIENCE = 60.0

# What a wrong clock says; see Machine.set_clock. The first is a server that has none of its own.
RIGHT, EARLY, LATE, TOMORROW = "right", "1970", "2040", "tomorrow"
_AT = {EARLY: 600.0, LATE: 2_208_988_800.0}
_DAY = 90_000.0


class Machine:
    """The server. ``state``: the folder in which programs may crash at their operations.

    ``attic``: a folder of the same file system, for what a power cut brings back.
    ``patience``: the seconds for which its requests wait for an answer.
    """

    def __init__(
        self, root: Path, nursery: Nursery, *, state: Path, attic: Path, patience: float
    ) -> None:
        self.root = root
        self.log = root / "log"
        self.crashes = root / "crashes"
        self.patience = patience
        self._nursery = nursery
        self._clock = root / "clock"
        self._running: list[Child] = []
        attic.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept,
            # Hooks are started by their first line, which names python3.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{INJECT}:{REPOSITORY}",
            "FAULTS_STATE": str(state),
            "FAULTS_ATTIC": str(attic),
            "FAULTS_NOTES": str(self.crashes),
            "FAULTS_CLOCK": str(self._clock),
        }
        """What each program is given."""

    def close(self) -> None:
        """Remove it."""
        self.kill(signal.SIGKILL)
        for child in self._running:
            child.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self, arguments: Sequence[str], crash: Crash | None = None) -> Child:
        """Start the program with these arguments."""
        environment = dict(self.environment)
        if crash:
            name = "FAULTS_CRASH_AT" if crash.of == "agent" else "FAULTS_HOOK_CRASH_AT"
            environment |= {name: str(crash.at), "FAULTS_POWER": str(crash.power)}
        child = self._nursery.start(
            arguments, environment=environment, log=self.log, patience=self.patience
        )
        self._running.append(child)
        return child

    def wait(self, children: list[Child]) -> list[int | None]:
        """Wait until programs have ended; return each one's status, None when it hung."""
        deadline = time.monotonic() + PATIENCE
        return [_ended(child, deadline) for child in children]

    def kill(self, number: int, *, hooks: bool = False) -> None:
        """Send a signal to the programs, and to what they have started."""
        for child in self._running:
            below = _descendants(child.pid) if hooks else []
            child.send_signal(number)
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def set_clock(self, clock: str, *, later: float = 0.0) -> None:
        """Let the programs see another time from now on, so many seconds later than it says."""
        now = time.time()
        wrong = _AT[clock] - now if clock in _AT else _DAY * (clock == TOMORROW)
        new = self._clock.with_name("clock.new")
        new.write_text(str(wrong + later))
        new.replace(self._clock)  # a program reads it whenever it asks for the time

    def note(self, text: str) -> None:
        """Add a line to the programs' log."""
        with self.log.open("a") as log:
            log.write(f"--- {text}\n")


def lines_of(path: Path) -> list[str]:
    """The lines of a file; none when it is not there."""
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _ended(child: Child, deadline: float) -> int | None:
    try:
        return child.wait(max(0.1, deadline - time.monotonic()))
    except TimeoutError:
        child.send_signal(signal.SIGKILL)
        return None


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and they in turn."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *_descendants(child))]
