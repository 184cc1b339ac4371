# SPDX-License-Identifier: Apache-2.0
"""What belongs to a run: every process that its hook has started, whatever became of its parents.

A process is known by two marks, and has to lose both to get lost:

- the control group that it was started in (:mod:`heat_config.run.cgroup`). Programs with an
  empty or overwritten environment keep it: ``env -i``, ``sudo``, ``service``, PostgreSQL. A
  server may have none that can be written, and ``su -`` moves into a group of logind's.
- a variable of its environment, which ``su`` itself and what has been moved keep.

What another program starts when it is asked to (systemd, a container engine) is that one's.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config.run import cgroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE = "HEAT_CONFIG_RUN"
# Seconds in which what is killed must be gone; only the kernel can delay it, as for a dead NFS.
KILLED_WITHIN = 5.0
# Seconds between two looks at what is ending: at first, and at most. To look at 10 000
# processes takes up to 0.7 s.
LOOK_AFTER = 0.02
LOOK_EVERY = 0.5


class Scope(NamedTuple):
    """A run's processes, for the agent that has started them and for the next one."""

    boot: str
    """The kernel's id of the boot in which the run began."""
    mark: str
    """The config's id and a random number: no other run has it, before or after."""
    group: Path | None
    """Its control group, if it can have one."""

    @classmethod
    def new(cls, config_id: str) -> Scope:
        """Make the scope of a run that is about to begin; take away what earlier ones left."""
        mark = f"{config_id}-{secrets.token_hex(8)}"
        group = cgroup.make(mark)
        if group:
            cgroup.sweep(beside=group)
        return cls(_boot_id(), mark, group)

    @classmethod
    def from_note(cls, note: object) -> Scope | None:
        """The scope that an agent has noted; None when the note is of no scope."""
        match note:
            case {"boot": str(boot), "mark": str(mark), "group": str() | None as group} if mark:
                return cls(boot, mark, cgroup.noted(group, mark) if group else None)
        return None

    @classmethod
    def of_mark(cls, mark: str) -> Scope:
        """What goes on in this boot under a mark, without its group."""
        return cls(_boot_id(), mark, None)

    @property
    def note(self) -> dict[str, Any]:
        """What the next agent must know, as JSON."""
        return {
            "boot": self.boot,
            "mark": self.mark,
            "group": str(self.group) if self.group else None,
        }

    @property
    def variables(self) -> dict[str, str]:
        """What the environment of its processes must hold."""
        return {VARIABLE: self.mark}

    @property
    def rebooted(self) -> bool:
        """Whether the server was booted since."""
        return self.boot != _boot_id()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A program that is started within this, with the variables, belongs to the scope."""
        if self.group is None:
            yield
        else:
            with cgroup.entered(self.group):
                yield

    def lives(self) -> bool:
        """Whether any of its processes is alive. A zombie is not."""
        return not self.rebooted and bool(self._pids())

    def end(self, grace: float, pause: Callable[[float], object] = time.sleep) -> bool:
        """End all of its processes: ask them to (TERM), and after some seconds make them (KILL).

        ``pause`` is called with seconds, again and again while they end. Returns whether all
        have ended; one that has not, :data:`KILLED_WITHIN` seconds after that, is the kernel's.
        """
        self._send(signal.SIGTERM)
        for seconds in _pauses(grace):
            if not self.lives():
                break
            pause(seconds)
        for seconds in _pauses(KILLED_WITHIN):
            if not self.lives():
                break
            self._kill()
            pause(seconds)
        self.tidy()
        return not self.lives()

    def tidy(self) -> None:
        """Remove its control group, unless a service that the run left is in it."""
        if self.group:
            cgroup.remove(self.group)

    def _pids(self) -> set[int]:
        """Its living processes without this one, which a run's script may have started."""
        grouped = cgroup.pids(self.group) if self.group else set()
        return (grouped | _marked(self._variable)) - {os.getpid()}

    def _kill(self) -> None:
        """Kill them; new ones may be forked meanwhile, unless the group is killed at once."""
        if self.group and os.getpid() not in cgroup.pids(self.group):
            cgroup.kill(self.group)
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        for pid in self._pids():
            # Looked at again while it is held: its number may be another's by now.
            with suppress(ProcessLookupError, PermissionError), _held(pid) as process:
                if self._has(pid):
                    signal.pidfd_send_signal(process, number)

    def _has(self, pid: int) -> bool:
        grouped = self.group is not None and self.group.name.encode() in _read(pid, "cgroup")
        return grouped or _is_marked(pid, self._variable)

    @property
    def _variable(self) -> bytes:
        return f"{VARIABLE}={self.mark}".encode("utf-8", "replace")


def _pauses(seconds: float) -> Iterator[float]:
    """Pauses that become longer, until so many seconds have gone by."""
    deadline = time.monotonic() + seconds
    pause = LOOK_AFTER
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, LOOK_EVERY)


def _marked(variable: bytes) -> set[int]:
    """The processes that have this in their environment; a zombie has none any more."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return set()
    return {pid for pid in pids if _is_marked(pid, variable)}


def _is_marked(pid: int, variable: bytes) -> bool:
    environment = _read(pid, "environ")
    return variable in environment and variable in environment.split(b"\0")


def _read(pid: int, name: str) -> bytes:
    """A file of a process; nothing when it has ended, or is another user's."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:  # noqa: PTH123 - for each process
            return file.read()
    except OSError:
        return b""


@contextmanager
def _held(pid: int) -> Iterator[int]:
    """A process's descriptor, which is never another's.

    :raises ProcessLookupError: it has ended.
    """
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
