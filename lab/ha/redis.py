# SPDX-License-Identifier: Apache-2.0
"""Just enough of Redis' protocol: for whoever breaks the lab's stores, or looks into them."""

from __future__ import annotations

import socket
from typing import Any, BinaryIO

TIMEOUT = 10.0


class Redis:
    """One connection. Raises OSError where nobody answers, ValueError for an answer of -ERR."""

    def __init__(self, port: int, password: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._file: BinaryIO = self._socket.makefile("rb")
        if password:
            self.ask("AUTH", password)

    def __enter__(self) -> Redis:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, *words: str | bytes) -> Any:
        """Make one request; return what came: text, a number, a list, or None."""
        self._socket.sendall(request(*words))
        return read(self._file)


def request(*words: str | bytes) -> bytes:
    """A request as it is sent."""
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    bodies = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%s" % (len(parts), bodies)


def read(file: BinaryIO) -> Any:
    """One answer.

    :raises ConnectionError: the other side has gone.
    :raises ValueError: it says that the request was wrong.
    """
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("Redis has gone")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise ValueError(rest.decode())
    if kind == b"+":
        return rest.decode()
    if kind == b":":
        return int(rest)
    size = int(rest)
    if size < 0:
        return None
    if kind == b"*":
        return [read(file) for _ in range(size)]
    return file.read(size + 2)[:-2]
