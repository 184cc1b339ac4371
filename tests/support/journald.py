# SPDX-License-Identifier: Apache-2.0
"""In systemd-journald's place: its two sockets, and what has come by them."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType

import pytest

from heat_config import journal

# Seconds for what a process has written to arrive; it has, or the test fails.
ARRIVES = 30
# What no program writes: it ends what has come until then.
ASKED = b"asked"


class Journald:
    """The sockets, in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._native = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._native.bind(str(folder / "socket"))
        self._arrived: SimpleQueue[bytes] = SimpleQueue()
        # As journald does: who sends waits where ten are not read.
        self._reader = Thread(target=self._read)
        self._reader.start()
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
        self._native.shutdown(socket.SHUT_RD)
        self._reader.join()
        self._native.close()
        self._streams.close()

    def _read(self) -> None:
        while datagram := self._native.recv(1 << 20):
            self._arrived.put(datagram)

    def stands_behind_stderr(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process's stderr pass for a stream to it, whichever file pytest has it in."""
        name_of = journal._name_of

        def named(descriptor: int) -> str:
            is_stderr = os.path.sameopenfile(descriptor, sys.stderr.fileno())
            return "stderr" if is_stderr else name_of(descriptor)

        monkeypatch.setattr(journal, "_name_of", named)
        monkeypatch.setattr(journal, "FOLDER", str(self.folder))
        monkeypatch.setenv(journal.VARIABLE, "stderr")

    def entries(self) -> list[dict[str, str]]:
        """The entries that have come since the last question."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(ASKED, str(self.folder / "socket"))
        return [decoded(each) for each in iter(lambda: self._arrived.get(timeout=ARRIVES), ASKED)]

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
