# SPDX-License-Identifier: Apache-2.0
"""Start processes that can always be found again, and end those and no others."""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

# The child waits for a line before it becomes the service. By then the lab has written down
# who it is; and where the lab dies first, the child reads end of file and goes too. So there
# is no moment in which a service runs that no state file knows.
_GATE = 'read -r go && exec "$@" </dev/null'


@dataclass(frozen=True)
class Process:
    """A process as the state file knows it: a pid alone may be someone else's by now."""

    name: str
    pid: int
    start_time: int
    boot_id: str

    def alive(self) -> bool:
        """Say whether this very process still runs; a zombie does not."""
        return self.boot_id == boot_id() and start_time(self.pid) == self.start_time


def launch(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    directory: Path,
    environment: Mapping[str, str],
    user: str = "",
    death_signal: str = "",
    record: Callable[[Process], None] = lambda _: None,
) -> subprocess.Popen[bytes]:
    """Start a service in a session of its own, once `record` has written it down.

    With a death signal the kernel sends it that when the thread that called this has gone.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*_privileges(user, death_signal), "sh", "-c", _GATE, name, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
        )
    assert child.stdin is not None  # noqa: S101 - what stdin=PIPE means
    with child.stdin:
        record(Process(name, child.pid, start_time(child.pid) or 0, boot_id()))
        child.stdin.write(b"go\n")
    return child


def as_user(user: str) -> list[str]:
    """Return the words to put before a command that shall run as this user ("": as now).

    The capability lets it pass through a private folder above the lab's own: a checkout in
    /root, a test's temporary folder.
    """
    if not user:
        return []
    return [
        "setpriv",
        f"--reuid={user}",
        f"--regid={pwd.getpwnam(user).pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]


def _privileges(user: str, death_signal: str) -> list[str]:
    words = as_user(user)
    # The kernel forgets a parent death signal when the user changes, so: a call of its own.
    return [*words, "setpriv", f"--pdeathsig={death_signal}"] if death_signal else words


def stop(processes: Iterable[Process], directory: Path, *, seconds: float = 3) -> None:
    """End the processes and all that they started: TERM, then KILL. None is left on return.

    The time between is short: what does not end at once is uWSGI, which lets a TERM wait while
    it loads its application, and has nothing to lose.
    """
    listed = list(processes)
    leaders = [process for process in listed if process.alive()]
    for process in leaders:
        _signal(process.pid, signal.SIGTERM)
    _wait(lambda: not any(process.alive() for process in leaders), seconds)
    for pid in _members(listed, directory):
        _signal(pid, signal.SIGKILL)
    if not _wait(lambda: not any(_members(listed, directory)), 60):
        raise LabError(f"processes that do not end: {list(_members(listed, directory))}")


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds; say whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _members(processes: Iterable[Process], directory: Path) -> Iterator[int]:
    """Yield the pids in the processes' sessions, leaders first.

    Where the leader has gone the session's number may have been given away; then only what
    works in the lab's directory is the lab's.
    """
    now = boot_id()
    leaders = {process.pid: process.alive() for process in processes if process.boot_id == now}
    yield from (pid for pid, alive in leaders.items() if alive)
    for pid, session in _sessions():
        if pid == session or session not in leaders:
            continue
        if leaders[session] or _works_in(pid, directory):
            yield pid


def _sessions() -> Iterator[tuple[int, int]]:
    """Yield (pid, session) of each process that is not a zombie."""
    for entry in os.listdir("/proc"):  # noqa: PTH208 - a path object for each is slow
        if entry.isdigit() and (fields := _stat(int(entry))):
            yield int(entry), int(fields[3])


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory)
    except OSError:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def start_time(pid: int) -> int | None:
    """Return when a process started, in ticks since boot, or None if there is none."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _stat(pid: int) -> list[str]:
    """Return /proc/PID/stat from its third field (the state) on; nothing for a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    # The name before it is in brackets and may itself hold brackets and spaces.
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] in "ZX" else fields


def boot_id() -> str:
    """Return what tells this boot from others: start times begin anew with each."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
