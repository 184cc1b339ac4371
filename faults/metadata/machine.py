# SPDX-License-Identifier: Apache-2.0
"""A schedule's server on the way in: heat-config-collect, its configuration and its command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from faults import machine
from faults.metadata.schedule import Life
from faults.nursery import Child, Nursery

# Seconds for which a request waits for an answer.
REQUEST_PATIENCE = 3.0


class Machine(machine.Machine):
    """The server."""

    def __init__(self, root: Path, nursery: Nursery) -> None:
        super().__init__(
            root, nursery, state=root / "cache", attic=root / "attic", patience=REQUEST_PATIENCE
        )
        self.environment["HEAT_CONFIG_SETTINGS"] = str(root / "settings")
        (root / "command").write_text(COMMAND.format(root=root))

    def set_mood(self, mood: str) -> None:
        """Say what its command does beside its work: kill its parent, fail, or nothing."""
        (self.root / "mood").write_text(mood)

    def collect(self, life: Life, access: Mapping[str, str]) -> Child:
        """Start the program. ``access``: its configuration's section zaqar."""
        arguments = ["--config-file", str(self._configure(life, access))]
        return self.start(arguments if life.service else [*arguments, "--one-time"], life.crash)

    def applied(self) -> list[int]:
        """The numbers of the metadata that its command has found, in order."""
        return [int(line) for line in machine.lines_of(self.root / "applied")]

    def said(self) -> list[str]:
        """What the programs have written."""
        return machine.lines_of(self.log)

    def _configure(self, life: Life, access: Mapping[str, str]) -> Path:
        zaqar = "\n".join(f"{name} = {value.replace('$', '$$')}" for name, value in access.items())
        path = self.root / f"collect-{life.websocket}.conf"
        path.write_text(
            CONFIGURATION.format(root=self.root, zaqar=zaqar, use_websockets=life.websocket)
        )
        return path


CONFIGURATION = """[DEFAULT]
cachedir = {root}/cache
backup_cachedir = {root}/backup
command = exec sh {root}/command
min_polling_interval = 0.05
polling_interval = 0.2
collectors = zaqar
[zaqar]
use_websockets = {use_websockets}
{zaqar}
"""

# Reads and notes under a lock, as os-refresh-config has one: a command outlives a process that
# was killed, and what it then reads may be newer than what it was started for.
COMMAND = """exec 9> {root}/lock
flock 9
sed -n 's/.*"n": \\([0-9]*\\).*/\\1/p' {root}/cache/zaqar.json >> {root}/applied
case $(cat {root}/mood) in
kills) kill -9 $PPID ;;
fails) exit 3 ;;
esac
"""
