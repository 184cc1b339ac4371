# SPDX-License-Identifier: Apache-2.0
"""A server booted from an image: systemd and all that it starts, in a container on this machine.

    with Server(unpack(build_tar()), files=[File("/etc/motd", "hello")]) as server:
        server.run(["systemctl", "is-active", "os-collect-config"])

It writes into memory alone, so its root stays as it was. It shares this machine's network, so it
reaches the lab on loopback; what would go beyond that is masked. Needs root.

    python3 -m lab.server boot ROOT | shell | journal | stop [--name NAME]
"""

from __future__ import annotations

from .files import BOOT_CONFIG, File
from .machine import Server

__all__ = ["BOOT_CONFIG", "File", "Server"]
