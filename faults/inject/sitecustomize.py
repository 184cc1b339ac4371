# SPDX-License-Identifier: Apache-2.0
"""Ends the process at one of its operations on files, and gives it a wrong clock.

Python imports a module of this name before a program when its folder is on PYTHONPATH, so nothing
of it is in the product. Each operation below FAULTS_STATE that matters for what is durable counts
twice: the moment before it and the moment after. At the FAULTS_CRASH_AT-th moment the process
kills itself with -9. FAULTS_HOOK_CRASH_AT is the same for the hook that it starts.

With FAULTS_POWER the last share of what has not been flushed is taken back first: names that have
changed since their folder was flushed, and the contents of files that were not.

FAULTS_CLOCK names a file with the seconds by which the clock is wrong. It is read each time that
the process asks for the time since 1970: so the clock can jump.
"""

# pathlib may keep the functions that it has found when it was imported.
# ruff: noqa: PTH110, PTH115, PTH120, PTH202

import os
import signal
import time
from collections.abc import Callable
from typing import Any

_STATE = os.environ.get("FAULTS_STATE", "")
_ATTIC = os.environ.get("FAULTS_ATTIC", "")
_NOTES = os.environ.get("FAULTS_NOTES", "")
_CLOCK = os.environ.get("FAULTS_CLOCK", "")

_open, _link, _rename, _unlink = os.open, os.link, os.rename, os.unlink
_time = time.time


class _Disk:
    """What a power cut would take back."""

    def __init__(self) -> None:
        self.unflushed: set[str] = set()
        self.changes: list[tuple[str, Callable[[], None]]] = []
        self._kept = 0

    def keep(self, path: str) -> str:
        """Keep what is at a path under another name; "" when nothing is."""
        self._kept += 1
        name = f"{_ATTIC}/{os.getpid()}.{self._kept}"
        try:
            _link(path, name)
        except OSError:
            return ""
        return name

    def replaced(self, source: str, target: str, old: str) -> None:
        if source in self.unflushed:
            self.unflushed = self.unflushed - {source} | {target}

        def undo() -> None:
            _rename(target, source)
            if old:
                _rename(old, target)

        self.changes.append((os.path.dirname(target), undo))

    def removed(self, path: str, old: str) -> None:
        self.unflushed.discard(path)
        if old:
            self.changes.append((os.path.dirname(path), lambda: _rename(old, path)))

    def flushed(self, path: str) -> None:
        self.unflushed.discard(path)
        self.changes = [change for change in self.changes if change[0] != path]

    def cut(self, share: float) -> None:
        """The power goes: the last changes are not on the disk, nor is what was not flushed."""
        for path in self.unflushed:
            if os.path.exists(path):
                os.truncate(path, int(os.path.getsize(path) * (1 - share)))
        lost = round(len(self.changes) * share)
        for _, undo in reversed(self.changes[len(self.changes) - lost :]):
            undo()


class _Point:
    """Counts the moments, and ends the process at the one that was named."""

    def __init__(self, at: int, power: float) -> None:
        self._left = at
        self._power = power
        self.disk = _Disk()

    def passed(self, what: str, path: str) -> None:
        self._left -= 1
        if self._left:
            return
        note = _open(_NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(note, f"{what} {os.path.relpath(path, _STATE)}\n".encode())
        if self._power:
            self.disk.cut(self._power)
        os.kill(os.getpid(), signal.SIGKILL)


def _path(given: Any) -> str:
    """The path of an argument, which may be a file descriptor; "" when it is not ours."""
    path = os.readlink(f"/proc/self/fd/{given}") if isinstance(given, int) else os.fspath(given)
    return path if f"{path}/".startswith(f"{_STATE}/") else ""


def _wrap(name: str, point: _Point) -> None:
    real = getattr(os, name)

    def wrapped(first: Any, *rest: Any, **options: Any) -> Any:
        target = rest[0] if name in ("rename", "replace") else first
        path = _path(target)
        if not path or (name == "open" and not rest[0] & os.O_CREAT):
            return real(first, *rest, **options)
        point.passed(f"before {name}", path)
        old = "" if name in ("fsync", "open") else point.disk.keep(path)
        done = real(first, *rest, **options)
        if name == "fsync":
            point.disk.flushed(path)
        elif name == "open":
            point.disk.unflushed.add(path)
        elif name in ("rename", "replace"):
            point.disk.replaced(os.fspath(first), path, old)
        else:
            point.disk.removed(path, old)
        point.passed(f"after {name}", path)
        return done

    setattr(os, name, wrapped)


def _wrong_time() -> float:
    try:
        file = _open(_CLOCK, os.O_RDONLY)
    except FileNotFoundError:
        return _time()
    try:
        return _time() + float(os.read(file, 64))
    finally:
        os.close(file)


def _arm() -> None:
    if _CLOCK:
        time.time = _wrong_time
        time.time_ns = lambda: int(_wrong_time() * 1e9)
    at = int(os.environ.pop("FAULTS_CRASH_AT", "0"))
    # The next program, which is the hook, finds its own under the agent's name.
    if "FAULTS_HOOK_CRASH_AT" in os.environ:
        os.environ["FAULTS_CRASH_AT"] = os.environ.pop("FAULTS_HOOK_CRASH_AT")
    power = float(os.environ.pop("FAULTS_POWER", "0"))
    if at and _STATE:
        point = _Point(at, power)
        for name in ("open", "fsync", "rename", "replace", "unlink", "remove"):
            _wrap(name, point)


_arm()
