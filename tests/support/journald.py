# SPDX-License-Identifier: Apache-2.0
"""In systemd-journald's place: its two sockets, and what has come by them."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType

import pytest

from heat_config import journal

# Seconds for what a process has written to arrive; it has, or the test fails.
ARRIVES = 30


class Journald:
    """The sockets, in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._native = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._native.bind(str(folder / "socket"))
        self._native.setblocking(False)
        self._streams = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._streams.bind(str(folder / "stdout"))
        self._streams.listen()
        self._streams.settimeout(ARRIVES)

    def __enter__(self) -> Journald:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._native.close()
        self._streams.close()

    def stands_behind_stderr(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process's stderr pass for a stream to it; pytest's capfd must be at work."""
        status = os.fstat(sys.stderr.fileno())
        monkeypatch.setattr(journal, "FOLDER", str(self.folder))
        monkeypatch.setenv(journal.VARIABLE, f"{status.st_dev}:{status.st_ino}")

    def entries(self) -> list[dict[str, str]]:
        """The entries that have come since the last question."""
        found = []
        while True:
            try:
                found.append(decoded(self._native.recv(1 << 20)))
            except BlockingIOError:
                return found

    def stream(self) -> tuple[list[str], str]:
        """The next stream, once it has ended: its header and its lines."""
        connection, _ = self._streams.accept()
        with connection:
            connection.settimeout(ARRIVES)
            data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        *header, lines = data.decode().split("\n", 7)
        return header, lines

    def wait_for(self, event: str) -> dict[str, str]:
        """The next entry with this MESSAGE_ID."""
        deadline = time.monotonic() + ARRIVES
        while time.monotonic() < deadline:
            for entry in self.entries():
                if entry.get("MESSAGE_ID") == event:
                    return entry
            time.sleep(0.01)
        raise AssertionError(f"no entry with MESSAGE_ID={event} has come")


def decoded(datagram: bytes) -> dict[str, str]:
    """An entry, as systemd's page on the native protocol says."""
    fields: dict[str, str] = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(datagram[:8], "little")
            value, end, datagram = (
                datagram[8 : 8 + size],
                datagram[8 + size : 9 + size],
                datagram[9 + size :],
            )
            assert end == b"\n"
        assert name.decode() not in fields
        fields[name.decode()] = value.decode()
    return fields
