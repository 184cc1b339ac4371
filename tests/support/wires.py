# SPDX-License-Identifier: Apache-2.0
"""Where a wire of the lab's is put."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from lab import Lab
from lab.catalog import add_region
from lab.wire import Wire

# Lets the agent find a service of the catalog at the other end of a wire.
Reroute = Callable[[str, Wire], None]


def address(url: str) -> tuple[str, int]:
    """The host and the port of an endpoint."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


@contextmanager
def wire_to_zaqar(lab: Lab) -> Iterator[Wire]:
    """A wire to a lab's Zaqar, in its catalog as the endpoint in a region of its own."""
    with Wire(address(lab.endpoints["messaging"])) as up:
        add_region(lab, "wire", {"zaqar": up.url})
        yield up
