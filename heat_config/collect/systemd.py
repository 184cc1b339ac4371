# SPDX-License-Identifier: Apache-2.0
"""Tell systemd that the service is up, and that it still goes round (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

# For programs that the service starts: it is not their word that counts.
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


def notify(state: str) -> None:
    """Send a state such as ``READY=1``; without systemd do nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    path = f"\0{address[1:]}" if address.startswith("@") else address
    with (
        suppress(OSError),  # systemd itself is being restarted
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
    ):
        sender.sendto(state.encode(), path)


def alive() -> None:
    """Feed the watchdog."""
    notify("WATCHDOG=1")
