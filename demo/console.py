# SPDX-License-Identifier: Apache-2.0
"""What a server of Nova's writes on its console, stamped when it is seen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from demo.steps import STEPS, Event

BOOT_STEPS = (
    ("cloud-init looks for the configuration drive", "running 'init-local'"),
    ("cloud-init has it: runs Heat's part-handler", "running 'init' "),
)


class Line(NamedTuple):
    """One line, and when it was seen: seconds since the epoch."""

    time: float
    text: str


class Console:
    """A server's console, as a file that grows; a reboot begins it anew.

    ``instances``: Nova's folder.
    """

    def __init__(self, instances: Path) -> None:
        self._instances = instances
        self._log: Path | None = None
        self._read = 0
        self._rest = b""
        self.lines: list[Line] = []

    def belongs_to(self, server_id: str) -> None:
        """Whose it is, once the server is there."""
        self._log = self._instances / server_id / "console.log"

    def look(self) -> None:
        """Take in what has been written since."""
        if self._log is None or not self._log.exists():
            return
        new = self._new(self._log)
        whole, _, self._rest = (self._rest + new).rpartition(b"\n")
        now = time.time()
        texts = whole.decode(errors="replace").splitlines()
        self.lines += [Line(now, text.strip()) for text in texts if text.strip()]

    def _new(self, log: Path) -> bytes:
        if log.stat().st_size < self._read:
            self._read, self._rest = 0, b""
        with log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        return new

    def has(self, text: str, since: float) -> bool:
        """Whether a line with this text was seen after a moment."""
        self.look()
        return any(line.time >= since and text in line.text for line in self.lines)

    def events(self, since: float) -> list[Event]:
        """The steps that it shows to have come after a moment."""
        found: dict[str, float] = {}
        for line in self.lines:
            for what, text in (*BOOT_STEPS, *STEPS):
                if line.time >= since and text in line.text:
                    found.setdefault(what, line.time)
        return [Event(moment, what) for what, moment in found.items()]

    def tail(self, count: int = 40) -> list[str]:
        """Its last lines."""
        self.look()
        return [line.text for line in self.lines[-count:]]
