# SPDX-License-Identifier: Apache-2.0
"""systemd's journal: entries with fields of their own, and the output of programs by priority.

Sources: https://systemd.io/JOURNAL_NATIVE_PROTOCOL for entries; for a stream of lines
systemd-cat(1), whose header is the same; JOURNAL_STREAM in systemd.exec(5).
"""

from __future__ import annotations

import os

# socket takes 3 ms to import, and most runs have nothing to do but say so.
from _socket import AF_UNIX, SOCK_DGRAM, SOCK_STREAM, socket

TYPE_CHECKING = False  # typing's, without importing it
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

FOLDER = "/run/systemd/journal"
GROUPS = "/proc/self/cgroup"
# Says which stream of this process leads to the journal.
VARIABLE = "JOURNAL_STREAM"
# The priorities of syslog(3).
ERROR, WARNING, INFO, DEBUG = 3, 4, 6, 7


def takes(stream: TextIO) -> bool:
    """Whether what is written to a stream of this process comes to the journal."""
    given = os.environ.get(VARIABLE)
    try:
        return bool(given) and given == _name_of(stream.fileno())
    except (OSError, ValueError):  # it is closed, or no file
        return False


def send(fields: Mapping[str, str]) -> None:
    """Write one entry.

    :raises OSError: there is no journal, or the entry is too large for it.
    """
    entry = b"".join(_field(name, value) for name, value in fields.items())
    sender = socket(AF_UNIX, SOCK_DGRAM)
    try:
        sender.sendto(entry, f"{FOLDER}/socket")
    finally:
        sender.close()


class Lines:
    """A stream for the output of programs, each line of which becomes an entry.

    There is no process in between: it outlives the one that has opened it. A line that begins
    with ``<3>`` has that priority in place of the stream's (sd-daemon(3)).
    """

    def __init__(self, identifier: str, priority: int) -> None:
        """Open it.

        :raises OSError: there is no journal.
        """
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        header = [identifier, unit(), str(priority), "1", "0", "0", "0"]
        try:
            self._socket.connect(f"{FOLDER}/stdout")
            self._socket.sendall("".join(f"{line}\n" for line in header).encode())
        except BaseException:
            self.close()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """What tells a program whose output it is that this leads to the journal."""
        return {VARIABLE: _name_of(self.descriptor)}

    @property
    def descriptor(self) -> int:
        """What such a program writes to."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this process's end of it."""
        self._socket.close()


def unit() -> str:
    """The service that this process belongs to; empty where it is of none."""
    try:
        with open(GROUPS, encoding="utf-8") as file:  # noqa: PTH123 - quick
            groups = file.read()
    except OSError:
        return ""
    services = [part for part in groups.replace("\n", "/").split("/") if part.endswith(".service")]
    return services[-1] if services else ""


def _name_of(descriptor: int) -> str:
    found = os.fstat(descriptor)
    return f"{found.st_dev}:{found.st_ino}"


def _field(name: str, value: str) -> bytes:
    """A field; one that has several lines comes with its length."""
    key, data = name.encode(), value.encode("utf-8", "backslashreplace")
    if b"\n" not in data:
        return key + b"=" + data + b"\n"
    return key + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
