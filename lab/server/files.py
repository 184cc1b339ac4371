# SPDX-License-Identifier: Apache-2.0
"""What a server has with it from the start, before any of its services runs."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file that is in the server before any of its services starts; owned by root."""

    path: str
    text: str
    mode: int = 0o600

    def tmpfiles_line(self) -> str:
        """Return the line that makes systemd-tmpfiles write it."""
        encoded = base64.b64encode(self.text.encode()).decode()
        return f"f+~ {self.path} {self.mode:04o} root root - {encoded}\n"


# What a server reads first unless its files say otherwise: what Nova's user data would hold.
BOOT_CONFIG = File("/etc/os-collect-config.conf", "[DEFAULT]\ncollectors = heat_local\n")


@contextmanager
def nameless_file(text: str) -> Iterator[int]:
    """Provide a file that is in no folder, so nobody else can open it and nothing stays."""
    descriptor = os.memfd_create("tmpfiles.extra")
    try:
        os.write(descriptor, text.encode())
        yield descriptor
    finally:
        os.close(descriptor)
