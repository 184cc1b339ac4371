# SPDX-License-Identifier: Apache-2.0
"""The control plane for one schedule at a time: the lab's services behind faulty wires.

Each place has wires of its own, and a region of its own in Keystone's catalog in which the
services are these wires; the region is what a server is given. Heat itself, and the harness, use
the services without a wire. So two places can be in trouble at the same time.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from keystoneauth1 import session
from keystoneauth1.identity import v3

from faults.schedule import Attempt
from faults.wires import FaultyWire, Journal
from lab import Lab

# What Zaqar wants to know of each client.
CLIENT = {"Client-ID": str(uuid.UUID(int=1, version=4))}

_Place = TypeVar("_Place")
_Wire = TypeVar("_Wire", bound=FaultyWire)


class Place:
    """The wires between a server and its control plane, and the journal of what went over them."""

    def __init__(self, wires: Mapping[str, FaultyWire]) -> None:
        self.wires = wires
        self.journal = next(iter(wires.values())).journal

    def arm(self, attempt: Attempt, patience: float, kill: Callable[[int], None]) -> None:
        """Say what befalls the next requests, and who is away."""
        for name, wire in self.wires.items():
            wire.arm(attempt.requests.get(name, ()), patience, kill)
            if name in attempt.away:
                wire.close_port()

    def come_back(self, away: Iterable[str]) -> None:
        """Let services answer again that were away."""
        for name in away:
            self.wires[name].open_port()

    def heal(self) -> None:
        """From now on everything works."""
        for wire in self.wires.values():
            wire.calm()

    def wait_until_idle(self, *, but_late: bool = False) -> None:
        """Wait until no request is under way any more; ``but_late``: save those that are late."""
        while not all(wire.is_idle(but_late=but_late) for wire in self.wires.values()):
            time.sleep(0.01)


@contextmanager
def places(
    count: int,
    prefix: str,
    wires: Callable[[], dict[str, _Wire]],
    make: Callable[[str, dict[str, _Wire], ExitStack], _Place],
) -> Iterator[list[_Place]]:
    """Make places for so many schedules at once, all on one lab.

    ``make`` is given a name, the wires, and a stack for what is to be undone at the end.
    """
    run = uuid.uuid4().hex[:8]
    with ExitStack() as stack:
        made = []
        for number in range(count):
            own = wires()
            for wire in own.values():
                stack.enter_context(wire)
            made.append(make(f"{prefix}-{run}-{number}", own, stack))
        yield made


def wires(lab: Lab, services: Mapping[str, str], kind: type[_Wire]) -> dict[str, _Wire]:
    """A wire to each of the lab's services, with one journal for all of them."""
    journal = Journal()
    return {
        name: kind(name, _address(lab.endpoints[service]), journal)
        for name, service in services.items()
    }


def user(**credentials: Any) -> Any:
    """A user of the services, past the wires."""
    return session.Session(auth=v3.Password(**credentials))


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)
