# SPDX-License-Identifier: Apache-2.0
"""Which servers go on after the program that booted them: a file for each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import LabError
from ..process import boot_id, start_time
from ..venv import CACHE

STATE = CACHE / "server"


@dataclass(frozen=True)
class Running:
    """A booted server. Process ids alone may be others' by now."""

    name: str
    supervisor: int
    supervisor_start: int
    leader: int
    boot: str
    root: str

    def alive(self) -> bool:
        """Say whether this very server still runs."""
        return self.boot == boot_id() and start_time(self.supervisor) == self.supervisor_start


def remember(running: Running) -> None:
    """Write a server down."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    _path(running.name).write_text(json.dumps(asdict(running)))


def find(name: str) -> Running:
    """Return the server of this name. Raise LabError when none runs."""
    path = _path(name)
    if path.exists():
        running = Running(**json.loads(path.read_text()))
        if running.alive():
            return running
        path.unlink()
    raise LabError(f"no server {name!r} is running", hint="boot it: python3 -m lab.server boot")


def forget(name: str) -> None:
    """Remove what is written down of a server."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return STATE / f"{name}.json"
