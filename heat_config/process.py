# SPDX-License-Identifier: Apache-2.0
"""Run a program and take down what it says, line by line.

Hooks are run by the agent, and tools by the hooks, through this one function.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# The exit statuses with which a shell says that it could not start a program.
CANNOT_EXECUTE = 126
NOT_FOUND = 127
# A longer line is handed on in pieces.
LONGEST_LINE = 1 << 16


class Completed(NamedTuple):
    """How a program ended, and what it wrote."""

    returncode: int
    """As subprocess counts: the exit status, or minus the signal's number."""
    stdout: bytes
    stderr: bytes

    @property
    def status(self) -> int:
        """The exit status as a shell reports it: 128 + the signal's number."""
        return self.returncode if self.returncode >= 0 else 128 - self.returncode

    @property
    def ending(self) -> str:
        """The same in words."""
        if self.returncode >= 0:
            return f"ended with exit status {self.returncode}"
        try:
            name = signal.Signals(-self.returncode).name
        except ValueError:
            name = f"signal {-self.returncode}"
        return f"was killed by {name}"


def run(
    argv: Sequence[str | Path],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_stdout: Callable[[str], None] | None = None,
    on_stderr: Callable[[str], None] | None = None,
) -> Completed:
    """Run a program until it ends and return what it wrote.

    Each line is handed to ``on_stdout`` or ``on_stderr`` as it comes. What
    counts is the program's own end: a service that it left running in the
    background, and that still holds its stdout, does not hold up the caller.

    :raises OSError: the program cannot be started.
    :raises ValueError: an argument or a variable holds a NUL character.
    """
    with tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        with subprocess.Popen(
            argv,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
        ) as child:
            assert child.stdout and child.stderr  # noqa: S101 - for the type checker
            stdout = _Reader(child.stdout, on_stdout)
            stderr = _Reader(child.stderr, on_stderr)
            _follow(child.pid, [stdout, stderr])
            returncode = child.wait()
    return Completed(returncode, stdout.finish(), stderr.finish())


class _Reader:
    """One of the program's streams: kept whole, handed on by lines."""

    def __init__(self, pipe: IO[bytes], on_line: Callable[[str], None] | None) -> None:
        self.pipe = pipe
        self._on_line = on_line
        self._chunks: list[bytes] = []
        self._rest = b""
        os.set_blocking(pipe.fileno(), False)

    def read(self, size: int = 1 << 16) -> bool:
        """Take what is there; False when the stream has ended."""
        try:
            chunk = os.read(self.pipe.fileno(), size)
        except BlockingIOError:
            return True
        self._chunks.append(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        self._hand_on(lines)
        return bool(chunk)

    def read_left(self) -> None:
        """Take what the program had written when it ended, and no more.

        That fits into the pipe; what comes later is from somebody else.
        """
        self.read(fcntl.fcntl(self.pipe.fileno(), fcntl.F_GETPIPE_SZ))

    def finish(self) -> bytes:
        """Hand on an unfinished last line; return all that was read."""
        if self._rest:
            self._hand_on([self._rest])
        return b"".join(self._chunks)

    def _hand_on(self, lines: list[bytes]) -> None:
        if self._on_line:
            for line in lines:
                self._on_line(line.decode("utf-8", "replace"))


def _follow(pid: int, readers: list[_Reader]) -> None:
    """Read until the process has ended."""
    ended = os.pidfd_open(pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            for reader in readers:
                selector.register(reader.pipe, selectors.EVENT_READ, reader)
            while True:
                ready = [key for key, _ in selector.select()]
                for key in ready:
                    if key.data and not key.data.read():
                        selector.unregister(key.fileobj)
                if any(key.fd == ended for key in ready):
                    break
    finally:
        os.close(ended)
    for reader in readers:
        reader.read_left()
