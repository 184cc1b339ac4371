# SPDX-License-Identifier: Apache-2.0
"""A schedule's server on the way out: the agent's state, its disks, and what may happen to them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults import insides, machine
from faults.machine import PATIENCE, lines_of
from faults.nursery import Nursery
from faults.results.schedule import CLOCK, ENTRIES, FULL, NEWER, OLDER, RO, RW, SET_BACK, Schedule
from lab.server import File, Server
from tests.support.hooks import installed

# Bytes of a folder that is a file system of its own.
_OWN_SIZE = 1 << 20
# Seconds for which a file system may be busy before it can be made read-only.
_BUSY = 2.0


class Machine(machine.Machine):
    """The server."""

    def __init__(self, root: Path, nursery: Nursery, schedule: Schedule) -> None:
        self.disk = root / "disk"
        self.ran = root / "ran"
        self._state = self.disk / "state"
        self._run = root / "run"
        self._mounts: list[Path] = []
        self._newer: dict[Path, tuple[str, dict[str, Any]]] = {}
        for folder in (self.disk, self.ran, self._run):
            folder.mkdir(parents=True)
        if schedule.disk:
            self._mount(self.disk, schedule.disk)
        if schedule.separate:
            for name in insides.SEPARATE:
                self._mount(self._state / name, _OWN_SIZE)
        attic = self.disk if schedule.disk else root / "attic"
        super().__init__(root, nursery, state=self._state, attic=attic, patience=schedule.patience)
        self._fast = {
            "HEAT_CONFIG_FIRST_WAIT": "0.01",
            insides.FALLBACK_AFTER: str(schedule.fallback_after),
        }
        self.environment |= {
            **insides.settings(self._state, self._run),
            **self._fast,
            "HEAT_CONFIG_HOOKS": str(installed(self.root / "hooks")),
        }

    def close(self) -> None:
        """Remove it."""
        for folder in reversed(self._mounts):
            # What an agent that was killed has left running may still use it.
            _command("umount", "--lazy", folder)
        super().close()

    @property
    def pending(self) -> list[str]:
        """The configs whose results are pending."""
        return [path.stem for path in insides.pending(self._state)]

    def abandoned(self, config_id: str) -> str:
        """Why the result of a config was abandoned; empty when it was not."""
        found = (path for path in insides.abandoned(self._state) if path.stem == config_id)
        reasons = [str(json.loads(path.read_text()).get("problem")) for path in found]
        return "".join(reasons)

    def result(self, config_id: str) -> dict[str, Any] | None:
        """The result that the server keeps for people; None when there is none."""
        path = insides.result(self._state, config_id)
        if not path.exists():
            return None
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def runs(self, token: str) -> int:
        """How often a script has run."""
        return len(lines_of(self.ran / token))

    def metadata(self, text: str) -> None:
        """Render the deployments, as os-apply-config does."""
        new = self._run / "heat-config.new"
        new.write_text(text)
        new.chmod(0o600)
        new.replace(self._run / "heat-config")

    def leave_room(self, room: int) -> None:
        """Fill the disk until so many bytes are free."""
        _fill(self.disk, room)

    def make_room(self) -> None:
        """Remove what fills the disk."""
        _filler(self.disk).unlink(missing_ok=True)

    def change(self, what: str, to: str) -> None:
        """Change the server itself: its clock, a file system, or how its entries are written."""
        if what == CLOCK:
            self.set_clock(to)
        elif what == ENTRIES:
            {OLDER: self._write_older, NEWER: self._write_newer, SET_BACK: self._set_back}[to]()
        else:
            {RO: _protect, RW: _restore, FULL: _fill}[to](self._state / what)

    def repair(self) -> None:
        """Everything of the server works again."""
        self.make_room()
        self.set_clock(machine.RIGHT)
        for folder in self._mounts:
            _restore(folder)
        self._set_back()

    def harmed(self) -> list[str]:
        """The configs whose entries of a newer agent are not any more as that has left them."""
        harmed = [
            path
            for path, (text, _) in self._newer.items()
            if not path.exists() or path.read_text() != text
        ]
        for path in harmed:
            del self._newer[path]
        return [path.stem for path in harmed]

    def tear(self, what: str) -> None:
        """Leave what a crash at a bad moment leaves: files that nobody has finished."""
        for config_id in insides.deployed(self._state) or ["unknown"]:
            path = self._state / insides.TORN[what].format(config_id)
            with contextlib.suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.write_bytes(b'{"id": "torn\xff')

    def boot(self, image: Path, until: Callable[[], object], *, power_after: float) -> None:
        """Boot a server with this disk; so many seconds after something its power goes."""
        settings = "".join(f"{name}={value}\n" for name, value in self._fast.items())
        # What a server is given from the start is there at each boot.
        data = {"deployments": json.loads((self._run / "heat-config").read_text())}
        logs = f"HEAT_CONFIG_LOGS={insides.STATE}/logs\n"
        files = [
            File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data)),
            File("/etc/heat-config.conf", f"{settings}{logs}"),
        ]
        self._state.mkdir(mode=0o700, exist_ok=True)
        disks = {insides.STATE: self._state, str(self.ran): self.ran}
        server = Server(image, files=files, disks=disks)
        try:
            server.boot(timeout=PATIENCE)
            server.wait_for(lambda _: until(), timeout=PATIENCE, what="what the schedule waits for")
            time.sleep(power_after)
            with self.log.open("a") as log:
                log.write(server.journal("os-collect-config", output="cat"))
        finally:
            server.stop(timeout=0)

    def _mount(self, folder: Path, size: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _command("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "faults", folder)
        self._mounts.append(folder)

    def _write_older(self) -> None:
        """Write the pending entries as the release before this one wrote them."""
        for path in insides.pending(self._state):
            path.write_text(json.dumps(insides.as_previous(_entry(path))))

    def _write_newer(self) -> None:
        """Write the pending entries as a release after this one may write them."""
        for path in insides.pending(self._state):
            entry = _entry(path)
            text = json.dumps(insides.as_newer(entry))
            path.write_text(text)
            self._newer[path] = (text, entry)

    def _set_back(self) -> None:
        """Let the newer agent be back: what it wrote is again of the version that runs."""
        for path, (text, entry) in self._newer.items():
            path.write_text(json.dumps(insides.set_back(json.loads(text), entry)))
        self._newer.clear()


def _entry(path: Path) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(path.read_text())
    return entry


def _filler(folder: Path) -> Path:
    return folder / "filler"


def _fill(folder: Path, room: int = 0) -> None:
    """Fill a file system until so many bytes are free."""
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    with contextlib.suppress(OSError), _filler(folder).open("ab") as file:
        os.posix_fallocate(file.fileno(), file.tell(), max(1, free - room))


def _restore(folder: Path) -> None:
    """Make a file system writable, with all its room."""
    _remount(folder, RW)
    _filler(folder).unlink(missing_ok=True)


def _protect(folder: Path) -> None:
    """Make a file system read-only, as soon as nobody writes to it."""
    deadline = time.monotonic() + _BUSY
    while not _remount(folder, RO):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder} is busy")
        time.sleep(0.01)


def _remount(folder: Path, to: str) -> bool:
    words = ("mount", "-o", f"remount,{to}", folder)
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def _command(*words: str | Path) -> None:
    subprocess.run(words, check=True, capture_output=True)
