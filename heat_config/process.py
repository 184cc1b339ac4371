# SPDX-License-Identifier: Apache-2.0
"""Run a program and take down what it says, by lines.

Hooks are run by the agent, and tools by the hooks, through this one function.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections import deque
from contextlib import nullcontext, suppress
from enum import Enum
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from heat_config import log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

# The exit status of timeout(1), and those with which a shell says that it could
# not start a program.
TIMED_OUT = 124
CANCELLED = 125
CANNOT_EXECUTE = 126
NOT_FOUND = 127
# A longer line is handed on in pieces.
LONGEST_LINE = 1 << 16
# Of each stream the end is kept in memory, so many bytes: more than any signal
# may have. All of it goes through on_stdout and on_stderr.
KEPT = 2 << 20
# Seconds between TERM and KILL for a program that takes too long.
GRACE = 10.0
# Seconds that the kernel is asked to wait at one go: it counts them in milliseconds, of 31 bits.
_AT_ONCE = 86_400.0
# Seconds between two questions whether a program is to be ended.
ASK_EVERY = 2.0


class Completed(NamedTuple):
    """How a program ended, and what it wrote."""

    returncode: int
    """As subprocess counts: the exit status, or minus the signal's number."""
    stdout: bytes
    """The end of what it wrote, at most about :data:`KEPT` bytes."""
    stderr: bytes
    stdout_dropped: int = 0
    """The bytes before that end."""
    stderr_dropped: int = 0
    time_limit: float | None = None
    """The time limit in seconds, when it was exceeded."""
    cancelled: bool = False
    """Whether it was ended because its caller wanted it to end."""

    @property
    def was_ended(self) -> bool:
        """Whether it did not end by itself."""
        return self.cancelled or self.time_limit is not None

    @property
    def status(self) -> int:
        """The exit status as a shell reports it: 128 + the signal's number, 124 for too late."""
        if self.cancelled:
            return CANCELLED
        if self.time_limit is not None:
            return TIMED_OUT
        return self.returncode if self.returncode >= 0 else 128 - self.returncode

    @property
    def ending(self) -> str:
        """The same in words."""
        if self.cancelled:
            return "was ended: its config was cancelled"
        if self.time_limit is not None:
            return f"was ended: it took longer than its time limit of {self.time_limit:g} s"
        if self.returncode >= 0:
            return f"ended with exit status {self.returncode}"
        try:
            name = signal.Signals(-self.returncode).name
        except ValueError:
            name = f"signal {-self.returncode}"
        return f"was killed by {name}"


class Scope(Protocol):
    """What holds a program together with all that it starts (:mod:`heat_config.run.scope`)."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What its environment must hold."""

    def entered(self) -> AbstractContextManager[None]:
        """Within this it is started."""

    def end(self, grace: float, pause: Callable[[float], object]) -> bool:
        """End all of it: TERM, and after so many seconds KILL; ``pause`` waits meanwhile."""


def run(
    argv: Sequence[str | Path],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_stdout: Callable[[str], None] | None = None,
    on_stderr: Callable[[str], None] | None = None,
    time_limit: float | None = None,
    scope: Scope | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Completed:
    """Run a program until it ends and return what it wrote.

    Its lines are handed to ``on_stdout`` or ``on_stderr`` as they come: those that are there
    at once are one text, without its last newline. So many short lines cost little each.
    What counts is the program's own end: a service that it left running in the
    background, and that still holds its stdout, does not hold up the caller.
    A line longer than :data:`LONGEST_LINE` comes in pieces, of which none ends within a
    secret (:mod:`heat_config.log`): one in two halves would not be masked.

    A program that takes longer than ``time_limit`` seconds is ended, TERM and after
    :data:`GRACE` seconds KILL, together with all that is in its ``scope``. Without
    a scope that is its process group, of which a limit makes it the head. So is one that
    ``cancelled``, which is asked every few seconds, wants to end.

    :raises OSError: the program cannot be started.
    :raises ValueError: an argument or a variable holds a NUL character.
    """
    with tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        with scope.entered() if scope else nullcontext():
            started = subprocess.Popen(
                argv,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**(os.environ if env is None else env), **scope.variables} if scope else env,
                cwd=cwd,
                start_new_session=any(each is not None for each in (scope, time_limit, cancelled)),
            )
        with started as child:
            assert child.stdout and child.stderr  # noqa: S101 - for the type checker
            stdout = _Reader(child.stdout, on_stdout)
            stderr = _Reader(child.stderr, on_stderr)
            ended = _follow(child.pid, [stdout, stderr], time_limit, scope, cancelled)
            returncode = child.wait()
    return Completed(
        returncode,
        stdout.finish(),
        stderr.finish(),
        stdout.dropped,
        stderr.dropped,
        time_limit if ended is _Ended.LATE else None,
        ended is _Ended.CANCELLED,
    )


class _Ended(Enum):
    ITSELF = "by itself"
    LATE = "too late"
    CANCELLED = "cancelled"


class _Reader:
    """One of the program's streams: its end is kept, all of it handed on by lines."""

    def __init__(self, pipe: IO[bytes], on_lines: Callable[[str], None] | None) -> None:
        self.pipe = pipe
        self._on_lines = on_lines
        self.dropped = 0
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._rest = b""
        os.set_blocking(pipe.fileno(), False)

    def read(self, size: int = 1 << 16) -> bool:
        """Take what is there; False when the stream has ended."""
        try:
            chunk = os.read(self.pipe.fileno(), size)
        except BlockingIOError:
            return True
        self._keep(chunk)
        lines, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        if newline:
            self._hand_on(lines)
        if len(self._rest) > LONGEST_LINE:
            end = log.end_of_piece(self._rest)
            self._hand_on(self._rest[:end])
            self._rest = self._rest[end:]
        return bool(chunk)

    def read_left(self) -> None:
        """Take what the program had written when it ended, and no more.

        That fits into the pipe; what comes later is from somebody else.
        """
        self.read(fcntl.fcntl(self.pipe.fileno(), fcntl.F_GETPIPE_SZ))

    def finish(self) -> bytes:
        """Hand on an unfinished last line; return the end of what was read."""
        if self._rest:
            self._hand_on(self._rest)
        return b"".join(self._chunks)

    def _keep(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) > KEPT:
            oldest = self._chunks.popleft()
            self._size -= len(oldest)
            self.dropped += len(oldest)

    def _hand_on(self, lines: bytes) -> None:
        if self._on_lines:
            self._on_lines(lines.decode("utf-8", "replace"))


def _follow(
    pid: int,
    readers: list[_Reader],
    time_limit: float | None,
    scope: Scope | None,
    cancelled: Callable[[], bool] | None,
) -> _Ended:
    """Read until the process has ended; return how it did."""
    ended = os.pidfd_open(pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            for reader in readers:
                selector.register(reader.pipe, selectors.EVENT_READ, reader)
            how = _read_while(selector, ended, time_limit, cancelled)
            if how is not _Ended.ITSELF:
                _end(selector, ended, pid, scope)
    finally:
        os.close(ended)
    for reader in readers:
        reader.read_left()
    return how


def _read_while(
    selector: selectors.BaseSelector,
    ended: int,
    time_limit: float | None,
    cancelled: Callable[[], bool] | None,
) -> _Ended:
    """Read until the process has ended, or is to be ended."""
    if cancelled is None:
        return _Ended.ITSELF if _read_until(selector, ended, time_limit) else _Ended.LATE
    deadline = time.monotonic() + (float("inf") if time_limit is None else time_limit)
    while True:
        left = deadline - time.monotonic()
        if _read_until(selector, ended, min(left, ASK_EVERY)):
            return _Ended.ITSELF
        if left <= ASK_EVERY:
            return _Ended.LATE
        if cancelled():
            return _Ended.CANCELLED


def _read_until(selector: selectors.BaseSelector, ended: int, seconds: float | None) -> bool:
    """Read until the process has ended, or for some time; return whether it has."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return False
        if ended in _read(selector, left):
            return True


def _read(selector: selectors.BaseSelector, seconds: float | None) -> set[int]:
    """Read what there is, or will be within some time; return which descriptors were ready."""
    at_most = None if seconds is None else min(seconds, _AT_ONCE)
    ready = [key for key, _ in selector.select(at_most)]
    for key in ready:
        if key.data and not key.data.read():
            selector.unregister(key.fileobj)
    return {key.fd for key in ready}


def _end(selector: selectors.BaseSelector, ended: int, pid: int, scope: Scope | None) -> None:
    """Ask the program to end with all that belongs to it, then make it; read what it still says.

    It has not been waited for, so its number is still its own and its group's.
    """
    if scope:
        selector.unregister(ended)  # others of its scope may take longer
        scope.end(GRACE, lambda seconds: _read_for(selector, seconds))
        selector.register(ended, selectors.EVENT_READ)
    else:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGTERM)
        _read_until(selector, ended, GRACE)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _read_until(selector, ended, None)


def _read_for(selector: selectors.BaseSelector, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        _read(selector, left)
