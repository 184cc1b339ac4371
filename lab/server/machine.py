# SPDX-License-Identifier: Apache-2.0
"""One server: boot it, look into it, power it off."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from ..errors import LabError
from ..process import boot_id, start_time
from . import inside, state
from .files import BOOT_CONFIG, File, nameless_file
from .nspawn import Container
from .state import Running
from .supervisor import Supervisor

# Lines of the journal that an error shows.
SHOWN = 40


class Server:
    """One server. Boots on entering the context, and is powered off on leaving it.

    `keep`: it goes on after this program's end, until `python3 -m lab.server stop` or `stop()`.
    Else it dies with the thread that booted it, however that ends. `disks`: folders of this
    machine, by their path inside, that outlive a boot; all else is then as in the image again.
    `boot_config`: what its agent reads first, unless `files` have that; None for an image that has
    no agent.
    """

    def __init__(
        self,
        root: Path,
        *,
        files: Iterable[File] = (),
        disks: Mapping[str, Path] | None = None,
        boot_config: File | None = BOOT_CONFIG,
        name: str = "",
        keep: bool = False,
    ) -> None:
        self.root = root.resolve()
        self.name = name or f"server-{uuid.uuid4().hex[:8]}"
        self.files = tuple(files)
        if boot_config and boot_config.path not in {file.path for file in self.files}:
            self.files += (boot_config,)
        self.keep = keep
        machine = f"heat-config-{self.name}"
        self._container = Container(machine, self.root, dict(disks or {}), keep)
        self._running: Running | None = None
        self._supervisor: Supervisor | None = None

    @classmethod
    def find(cls, name: str = "server") -> Server:
        """Return a server that was booted with `keep` and still runs."""
        running = state.find(name)
        server = cls(Path(running.root), name=name, keep=True)
        server._running, server._supervisor = running, Supervisor(name, running.supervisor)
        return server

    def __enter__(self) -> Server:
        self.boot()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.keep:
            self.stop()

    @property
    def leader(self) -> int:
        """The pid, on this machine, of the server's process 1."""
        if self._running is None:
            raise LabError(f"the server {self.name} is not booted")
        return self._running.leader

    def boot(self, *, timeout: float = 120) -> None:
        """Boot it; return when its systemd runs (its services may still be starting)."""
        _check_machine()
        secret = "".join(file.tmpfiles_line() for file in self.files)
        with nameless_file(secret) as descriptor, tempfile.TemporaryFile() as console:
            child = self._container.start(descriptor, console)
            self._supervisor = Supervisor(self.name, child.pid, child)
            try:
                leader = self._wait_for_leader(self._supervisor, timeout, console)
                self._running = self._as_running(child.pid, leader)
            except BaseException:
                self.stop()
                raise
        if self.keep:
            state.remember(self._running)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        check: bool = True,
        timeout: float = 180,
        text_input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root. Raise LabError with its output when it fails."""
        done = inside.run(self.leader, command, timeout=timeout, text_input=text_input)
        if check and done.returncode:
            said = (done.stdout + done.stderr).strip()
            words = shlex.join(map(str, command))
            raise LabError(f"in {self.name}: {words} exited {done.returncode}:\n{said}")
        return done

    def read(self, path: str) -> str:
        """Return the text of a file inside, "" where there is none."""
        return self.run(["cat", path], check=False).stdout

    def journal(self, unit: str = "", *, output: str = "short-monotonic") -> str:
        """Return the journal, of one unit if given. Monotonic times are this machine's."""
        command = ["journalctl", "--no-pager", "--quiet", f"--output={output}"]
        return self.run([*command, *([f"--unit={unit}"] if unit else [])]).stdout

    def wait_for(
        self,
        predicate: Callable[[Server], object],
        *,
        timeout: float = 120,
        interval: float = 0.1,
        what: str = "what was waited for",
    ) -> None:
        """Wait until the predicate is true of this server; else raise LabError with the journal."""
        deadline = time.monotonic() + timeout
        while not predicate(self):
            if time.monotonic() > deadline:
                tail = "\n".join(self.journal().splitlines()[-SHOWN:])
                raise LabError(f"in {self.name}: {what} did not come in {timeout:.0f} s:\n{tail}")
            time.sleep(interval)

    def shell_command(self) -> str:
        """Return what a person types to get a shell inside."""
        return shlex.join([*inside.enter(self.leader), "bash", "-l"])

    def stop(self, *, timeout: float = 10) -> None:
        """Power it off; after `timeout` seconds cut its power. Nothing of it is left on return."""
        if self._supervisor:
            leader = self._running.leader if self._running else 0
            self._supervisor.stop(leader, timeout=timeout)
        machine = self._container.machine
        shutil.rmtree(f"/run/systemd/nspawn/propagate/{machine}", ignore_errors=True)
        state.forget(self.name)
        self._supervisor = self._running = None

    def _wait_for_leader(self, supervisor: Supervisor, timeout: float, console: IO[bytes]) -> int:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and not supervisor.has_ended():
            leader = supervisor.leader()
            if leader:
                return leader
            time.sleep(0.02)
        console.seek(0)
        raise LabError(f"{self.name} does not boot:\n{console.read().decode(errors='replace')}")

    def _as_running(self, supervisor: int, leader: int) -> Running:
        started = start_time(supervisor) or 0
        return Running(self.name, supervisor, started, leader, boot_id(), str(self.root))


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise LabError("booting a server needs root", hint="start it again with sudo")
    if not shutil.which("systemd-nspawn"):
        raise LabError("systemd-nspawn is missing", hint="apt-get install systemd-container")
