# SPDX-License-Identifier: Apache-2.0
"""What a server of Nova's writes on its console, stamped when it is seen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from demo.timeline import STEPS, Event

BOOT_STEPS = (
    ("cloud-init looks for the configuration drive", "running 'init-local'"),
    ("cloud-init has it: runs Heat's part-handler", "running 'init' "),
)


class Line(NamedTuple):
    """One line, and when it was seen: seconds since the epoch."""

    time: float
    text: str


class Console:
    """A server's console, as a file that grows; a reboot begins it anew."""

    def __init__(self, instances: Path) -> None:
        self._instances = instances
        self._read: dict[Path, int] = {}
        self._rest: dict[Path, bytes] = {}
        self.lines: list[Line] = []

    def look(self) -> None:
        """Take in what has been written since."""
        for path in self._instances.glob("*/console.log"):
            new = self._new(path)
            whole, _, self._rest[path] = (self._rest.get(path, b"") + new).rpartition(b"\n")
            now = time.time()
            texts = whole.decode(errors="replace").splitlines()
            self.lines += [Line(now, text.strip()) for text in texts if text.strip()]

    def _new(self, path: Path) -> bytes:
        size, offset = path.stat().st_size, self._read.get(path, 0)
        if size < offset:
            offset, self._rest[path] = 0, b""
        with path.open("rb") as file:
            file.seek(offset)
            new = file.read()
        self._read[path] = offset + len(new)
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
