# SPDX-License-Identifier: Apache-2.0
"""Where a wire of the lab's is put."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from lab.wire import Wire

# Lets the agent find a service of the catalog at the other end of a wire.
Reroute = Callable[[str, Wire], None]


def address(url: str) -> tuple[str, int]:
    """The host and the port of an endpoint."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port
