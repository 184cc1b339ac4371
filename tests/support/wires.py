# SPDX-License-Identifier: Apache-2.0
"""Where a wire of the lab's is put."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from lab import Lab
from lab.catalog import add_region, turn_aside
from lab.wire import Wire
from tests.support.plugin import restart_heat

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


# The services that Heat's engine may be led to over a wire: their types, and the path in the
# catalog at which Heat does not look further for an address that Keystone says itself.
_OF_ENGINE = {"zaqar": ("messaging", ""), "keystone": ("identity", "/v3")}


@contextmanager
def wire_of_engine(lab: Lab, service: str) -> Iterator[Wire]:
    """Start Heat so that its engine, and nobody else, reaches a service over a wire.

    After the block Heat is still to be started anew, unless it was killed in it.
    """
    kind, path = _OF_ENGINE[service]
    direct = lab.endpoints[kind]
    conf = lab.directory / "etc/heat.conf"
    before = conf.read_text()
    conf.write_text(f"{before}\n[clients_{service}]\nendpoint_type = internalURL\n")
    with Wire(address(direct)) as wire:
        turn_aside(lab, service, "internal", wire.url + path)
        restart_heat(lab)
        yield wire
        turn_aside(lab, service, "internal", direct)
    conf.write_text(before)
