# SPDX-License-Identifier: Apache-2.0
"""The program ``openstack`` of the lab's environment, with the commands of this checkout."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import tomllib

from .checkout import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab import Lab


class Ended(NamedTuple):
    """How a command has ended."""

    status: int
    out: str
    err: str

    def rows(self) -> Any:
        """What ``--format json`` has printed."""
        return json.loads(self.out)


class Client:
    """Runs ``openstack`` as the lab's demo user.

    ``folder`` gets what an installation of the package writes down of its commands.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._program = str(lab.bin("openstack"))
        _register(folder / "heat_config-0.dist-info")
        path = os.pathsep.join(map(str, (REPOSITORY, folder)))
        home = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": path}
        self._environment = {**lab.environment(), **home}

    def run(self, *arguments: str) -> Ended:
        """Run one command of it."""
        return self.start(*arguments)()

    def start(self, *arguments: str) -> Callable[[], Ended]:
        """Start one; what is returned waits for its end."""
        started = self.popen(*arguments)

        def ended() -> Ended:
            try:
                out, err = started.communicate(timeout=120)
            finally:
                started.kill()
            return Ended(started.returncode, out, err)

        return ended

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start one, for whoever reads what it prints as it comes."""
        return subprocess.Popen(
            [self._program, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _register(folder: Path) -> None:
    """Say what pyproject.toml says, in the form in which pip leaves it."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lines = []
    for group, commands in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in commands.items())]
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: heat-config\nVersion: 0\n")
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
