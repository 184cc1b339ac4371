# SPDX-License-Identifier: Apache-2.0
"""A storage that forgets: Zaqar's Redis, emptied."""

from __future__ import annotations

import socket

from lab import Lab


def forget_everything(lab: Lab) -> None:
    """Empty Zaqar's Redis."""
    conf = (lab.directory / "etc/redis.conf").read_text().split()
    port, password = (conf[conf.index(name) + 1] for name in ("port", "requirepass"))
    with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as redis:
        redis.sendall(f"AUTH {password}\r\nFLUSHALL\r\nQUIT\r\n".encode())
        assert redis.makefile().read().split() == ["+OK", "+OK", "+OK"]
