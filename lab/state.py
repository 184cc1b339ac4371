# SPDX-License-Identifier: Apache-2.0
"""What a lab writes down about itself, so that any program can find its processes again."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from .config import Settings, write_private
from .errors import LabError
from .process import Process


class State:
    """The file `state.json`: mode 0600, since it holds passwords, and always whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._clear()

    def _clear(self) -> None:
        self.processes: list[Process] = []
        self.ports: dict[str, int] = {}
        self.passwords: dict[str, str] = {}
        self.endpoints: dict[str, str] = {}
        self.complete = False

    def begin(self, settings: Settings) -> None:
        """Start to write down a new lab."""
        self._clear()
        self.ports = dict(settings.ports)
        self.passwords = {name: settings.passwords[name] for name in USERS_PASSWORDS}
        self._save()

    def add(self, process: Process) -> None:
        """Write down a process."""
        self.processes.append(process)
        self._save()

    def fill(self, endpoints: Mapping[str, str]) -> None:
        """Write down what clients need."""
        self.endpoints = dict(endpoints)
        self._save()

    def finish(self) -> None:
        """Write down that all services have answered."""
        self.complete = True
        self._save()

    def load(self) -> None:
        """Read the file, which another program may have written since."""
        self._clear()
        try:
            found = json.loads(self._path.read_text())
        except FileNotFoundError:
            return
        self.processes = [Process(**values) for values in found["processes"]]
        # Another version of the lab may have written it: that one can be taken down at least.
        self.ports = found.get("ports", {})
        self.passwords = found.get("passwords", {})
        self.endpoints = found.get("endpoints", {})
        self.complete = found.get("complete", False)

    def need(self) -> None:
        """Read the file; fail if there is no lab to speak of."""
        if not self.endpoints:
            self.load()
        if not self.endpoints:
            raise LabError(
                f"no lab is up in {self._path.parent}", hint="bring one up: python3 -m lab up"
            )

    def forget(self) -> None:
        """Remove the file: nothing runs."""
        self._path.unlink(missing_ok=True)
        self._clear()

    def _save(self) -> None:
        text = json.dumps(
            {
                "processes": [asdict(process) for process in self.processes],
                "ports": self.ports,
                "passwords": self.passwords,
                "endpoints": self.endpoints,
                "complete": self.complete,
            },
            indent=2,
        )
        write_private(self._path, text + "\n")


# The services' own passwords are in etc/ alone.
USERS_PASSWORDS = ("admin_password", "demo_password")
