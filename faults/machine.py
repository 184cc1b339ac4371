# SPDX-License-Identifier: Apache-2.0
"""A schedule's server: a folder with the agent's files, and the agent's programs as processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults.nursery import INJECT, REPOSITORY, Child, Nursery
from faults.schedule import Crash
from lab.server import File, Server
from tests.support.hooks import installed

# Seconds after which a program hangs.
PATIENCE = 60.0
# Where a booted server keeps the agent's state.
_STATE = "/var/lib/heat-config"


class Machine:
    """The server. ``disk``: the bytes of its disk; 0: no limit."""

    def __init__(
        self, root: Path, nursery: Nursery, *, disk: int, way_round: float, patience: float
    ) -> None:
        self.root = root
        self._nursery = nursery
        self.disk = root / "disk"
        self.ran = root / "ran"
        self.log = root / "log"
        self._size = disk
        self._patience = patience
        self._running: list[Child] = []
        for folder in (self.disk, self.ran, root / "run", root / "attic"):
            folder.mkdir(parents=True)
        if disk:
            _command("mount", "-t", "tmpfs", "-o", f"size={disk},mode=700", "faults", self.disk)
        self._environment = self._variables(way_round)

    def close(self) -> None:
        """Remove it."""
        self.kill(signal.SIGKILL)
        if self._size:
            # What an agent that was killed has left running may still use it.
            _command("umount", "--lazy", self.disk)
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def outbox(self) -> Path:
        """What is owed."""
        return self.disk / "state/outbox"

    @property
    def owed(self) -> list[str]:
        """The configs whose results are owed."""
        return [path.stem for path in self.outbox.glob("*.json") if not path.name.startswith(".")]

    def result(self, config_id: str) -> dict[str, Any] | None:
        """The result that the server keeps for people; None when there is none."""
        path = self.disk / f"state/deployed/{config_id}.notify.json"
        if not path.exists():
            return None
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def runs(self, token: str) -> int:
        """How often a script has run."""
        path = self.ran / token
        return len(path.read_text().splitlines()) if path.exists() else 0

    def metadata(self, text: str) -> None:
        """Render the deployments, as os-apply-config does."""
        new = self.root / "run/heat-config.new"
        new.write_text(text)
        new.chmod(0o600)
        new.replace(self.root / "run/heat-config")

    def leave_room(self, room: int) -> None:
        """Fill the disk until so many bytes are free."""
        free = os.statvfs(self.disk).f_bavail * os.statvfs(self.disk).f_frsize
        with contextlib.suppress(OSError), (self.disk / "filler").open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), max(1, free - room))

    def make_room(self) -> None:
        """Remove what fills the disk."""
        (self.disk / "filler").unlink(missing_ok=True)

    def tear(self, what: str) -> None:
        """Leave what a crash at a bad moment leaves: files that nobody has finished."""
        state = self.disk / "state"
        names = {
            "entry-temporary": "outbox/.{}.json.4711.tmp",
            "deployed-temporary": "deployed/.{}.json.4711.tmp",
            "result-temporary": "deployed/.{}.notify.json.4711.tmp",
            "ballast": ".ballast",
            "log": "logs/{}.log",
        }
        known = [path.stem for path in state.glob("deployed/*.json") if path.stem.count(".") == 0]
        for config_id in known or ["unknown"]:
            path = state / names[what].format(config_id)
            with contextlib.suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.write_bytes(b'{"id": "torn\xff')

    def boot(self, image: Path, until: Callable[[], object], *, power_after: float) -> None:
        """Boot a server with this disk; so many seconds after something its power goes."""
        settings = "".join(
            f"{name}={value}\n"
            for name, value in self._environment.items()
            if name in ("HEAT_CONFIG_FIRST_WAIT", "HEAT_CONFIG_WAY_ROUND")
        )
        # What a server is given from the start is there at each boot.
        data = {"deployments": json.loads((self.root / "run/heat-config").read_text())}
        files = [
            File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data)),
            File("/etc/heat-config.conf", f"{settings}HEAT_CONFIG_LOGS={_STATE}/logs\n"),
        ]
        state = self.disk / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        server = Server(image, files=files, disks={_STATE: state, str(self.ran): self.ran})
        try:
            server.boot(timeout=PATIENCE)
            server.wait_for(lambda _: until(), timeout=PATIENCE, what="what the schedule waits for")
            time.sleep(power_after)
            with self.log.open("a") as log:
                log.write(server.journal("os-collect-config", output="cat"))
        finally:
            server.stop(timeout=0)

    def start(self, program: str, crash: Crash | None = None) -> Child:
        """Start one of the agent's programs: run, deliver, …"""
        environment = dict(self._environment)
        if crash:
            name = "FAULTS_CRASH_AT" if crash.of == "agent" else "FAULTS_HOOK_CRASH_AT"
            environment |= {name: str(crash.at), "FAULTS_POWER": str(crash.power)}
        child = self._nursery.start(
            program.split(), environment=environment, log=self.log, patience=self._patience
        )
        self._running.append(child)
        return child

    def run(self, program: str) -> int | None:
        """Run one to its end; return its status, None when it hung."""
        return self.wait([self.start(program)])[0]

    def wait(self, children: list[Child]) -> list[int | None]:
        """Wait until programs have ended; return each one's status, None when it hung."""
        deadline = time.monotonic() + PATIENCE
        return [self._ended(child, deadline) for child in children]

    def kill(self, number: int, *, hooks: bool = False) -> None:
        """Send a signal to the agent's programs, and to what they have started."""
        for child in self._running:
            below = _descendants(child.pid) if hooks else []
            child.send_signal(number)
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def note(self, text: str) -> None:
        """Add a line to the agent's log."""
        with self.log.open("a") as log:
            log.write(f"--- {text}\n")

    def _ended(self, child: Child, deadline: float) -> int | None:
        try:
            return child.wait(max(0.1, deadline - time.monotonic()))
        except TimeoutError:
            child.send_signal(signal.SIGKILL)
            return None

    def _variables(self, way_round: float) -> dict[str, str]:
        state = self.disk / "state"
        # The hooks are started by their first line, which names python3.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PATH": path,
            "PYTHONPATH": f"{INJECT}:{REPOSITORY}",
            "FAULTS_STATE": str(state),
            "FAULTS_ATTIC": str(self.disk if self._size else self.root / "attic"),
            "FAULTS_NOTES": str(self.root / "crashes"),
            "HEAT_SHELL_CONFIG": str(self.root / "run/heat-config"),
            "HEAT_CONFIG_HOOKS": str(installed(self.root / "hooks")),
            "HEAT_CONFIG_DEPLOYED": str(state / "deployed"),
            "HEAT_CONFIG_DEPLOYED_OLD": str(self.root / "run/deployed"),
            "HEAT_CONFIG_OUTBOX": str(state / "outbox"),
            "HEAT_CONFIG_LOGS": str(state / "logs"),
            "HEAT_CONFIG_SETTINGS": str(self.root / "run/settings"),
            "HEAT_CONFIG_FIRST_WAIT": "0.01",
            "HEAT_CONFIG_WAY_ROUND": str(way_round),
            "HEAT_SCRIPT_WORKING": str(state / "heat-config-script"),
            "HEAT_SCRIPT_OUTPUTS": str(self.root / "run/heat-config-script"),
        }


def _command(*words: str | Path) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and they in turn."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *_descendants(child))]
