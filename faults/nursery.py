# SPDX-License-Identifier: Apache-2.0
"""Starts the project's programs as processes that need not import its libraries again.

Most of the time of a short run is spent on imports. So one process has them all imported and
forks for each program: a process of its own as any other, with its own environment, files and
end. ``python -m faults.nursery`` is that process; it ends with its standard input. A nursery
is for one program: ``heat-config`` or ``heat-config-collect``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from faults import insides

REPOSITORY = Path(__file__).resolve().parent.parent
INJECT = Path(__file__).resolve().parent / "inject"


class Child:
    """A program that was started. Its process is a child of the nursery's, not ours."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self._line = line
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        with contextlib.suppress(TimeoutError):
            self.wait(0)
        return self._status

    def wait(self, seconds: float) -> int:
        """Wait until it has ended; return its exit status.

        :raises TimeoutError: it has not.
        """
        if self._status is None:
            if not select.select([self._line], [], [], seconds)[0]:
                raise TimeoutError
            # Left there: a timer that kills it may be waiting at the same moment.
            self._status = int(self._line.recv(16, socket.MSG_PEEK))
        return self._status

    def close(self) -> None:
        """Forget it; whether it has ended is not seen any more."""
        self._line.close()

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Nursery:
    """The process that forks, as seen from outside."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def start(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        patience: float,
    ) -> Child:
        """Start the agent with these arguments.

        ``patience``: the seconds for which its requests wait for an answer.
        """
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        line.connect(str(self._path))
        wanted = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "log": str(log),
            "patience": patience,
        }
        line.send(json.dumps(wanted).encode())
        return Child(line, int(line.recv(16)))


@contextlib.contextmanager
def nursery(folder: Path, program: str = "heat-config") -> Iterator[Nursery]:
    """Keep one for a while; its socket is in the folder."""
    path = folder / "nursery"
    process = subprocess.Popen(
        [sys.executable, "-m", "faults.nursery", path, program],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin and process.stdout  # noqa: S101 - as they were asked for
    try:
        process.stdout.readline()  # it listens
        yield Nursery(path)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def main() -> None:
    """Fork for each that connects, until the standard input ends."""
    program = sys.argv[2]
    for name in insides.MODULES[program]:
        importlib.import_module(name)
    # What ended is nobody's concern here: each keeper waits for its own.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(sys.argv[1])
    listener.listen(16)
    print("ready", flush=True)
    while True:
        readable = select.select([listener, sys.stdin], [], [])[0]
        if sys.stdin in readable:
            return
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _keep(line, program)
        line.close()


def _keep(line: socket.socket, program: str) -> NoReturn:
    """Fork the program, tell its process id, and its status when it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted = json.loads(line.recv(65_536))
    pid = os.fork()
    if pid == 0:
        line.close()
        _become(program, wanted)
    with contextlib.suppress(OSError):  # nobody waits for it any more
        line.send(str(pid).encode())
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        line.send(str(status).encode())
    os._exit(0)


def _become(program: str, wanted: dict[str, Any]) -> NoReturn:
    """Be the program, as its entry point starts it."""
    log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, standard)
    os.closerange(3, 64)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv = [program, *wanted["arguments"]]
    os._exit(_run(program, wanted["patience"]))


def _run(program: str, patience: float) -> int:
    try:
        # What Python does with a module of this name before any program.
        code = (INJECT / "sitecustomize.py").read_text()
        exec(compile(code, "sitecustomize", "exec"), {"__name__": "sitecustomize"})  # noqa: S102
        # A request that hangs must not hold up a schedule for a quarter of a minute.
        insides.limit_requests(patience)
        return int(importlib.import_module(insides.MODULES[program][0]).main() or 0)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
