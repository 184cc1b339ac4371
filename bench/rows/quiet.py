# SPDX-License-Identifier: Apache-2.0
"""What a server costs to which nothing happens: requests, memory, and how soon it then wakes up.

Keystone's tokens live for three minutes here, so that their renewal is seen; what ours asks of
Keystone is given as it is with tokens that live for an hour. The peer is os-collect-config with
heat-agents, by ZAQAR_MESSAGE.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure, Goal, sample
from bench.figures import resident
from bench.given import Given
from bench.servers import Ours, Peer
from bench.waiting import Signed, Told
from lab import Lab
from lab.catalog import add_region
from lab.relay import Relay
from lab.wire import Wire
from tests.support.wires import address

TOKEN_LIFE = 180
# With a signed address in place of a user.
SIGNED, PEER = "signed", "peer"
SERVICES = ("Keystone", "Zaqar", "Heat")
# MB.
MEMORY = Goal(30.0)
HOUR = 3600.0
# Seconds before its end at which a token is renewed (keystoneauth's MIN_TOKEN_LIFE_SECONDS).
RENEWED = 120.0


@dataclass
class Counted:
    """A server whose requests go over wires of its own."""

    name: str
    told: Told
    keystone: Wire
    zaqar: Wire
    heat: Wire
    websocket: Relay
    pid: int = 0

    def counts(self) -> dict[str, int]:
        """How many requests there were until now; a connection of a websocket counts as one."""
        return {
            "Keystone": len(self.keystone.history),
            "Zaqar": len(self.zaqar.history) + self.websocket.connections,
            "Heat": len(self.heat.history),
        }


def measure(given: Given) -> Iterator[Figure]:
    """Let servers be idle for a while, count, and then post to each."""
    settle, seconds = given.either((15.0, 30.0), (360.0, 300.0))
    folder = given.folder / "quiet"
    with (
        Lab(folder / "lab", token_expiration=TOKEN_LIFE, say=lambda _: None) as lab,
        ExitStack() as stack,
    ):
        counted = {
            name: stack.enter_context(_counted(lab, name, server))
            for name, server in _contenders(folder).items()
        }
        for each in counted.values():
            each.pid = stack.enter_context(each.told.server.serving(each.told.given))
        for each in counted.values():
            each.told.post()
            each.told.wait()
        time.sleep(settle)
        before = {name: each.counts() for name, each in counted.items()}
        time.sleep(seconds)
        after = {name: each.counts() for name, each in counted.items()}
        yield from _hours(before, after, seconds)
        yield from _memory(counted)
        yield from _woken(counted, settle + seconds, given.either(2, 5))


def _hours(
    before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]], seconds: float
) -> Iterator[Figure]:
    """What an hour would come to."""
    hourly = {
        name: {what: (after[name][what] - before[name][what]) * HOUR / seconds for what in counts}
        for name, counts in before.items()
    }
    peers = hourly.pop(PEER)
    for name, counts in hourly.items():
        # The peer asks for a token at each look; ours when one has grown old.
        counts["Keystone"] *= (TOKEN_LIFE - RENEWED) / (HOUR - RENEWED)
        for what in SERVICES:
            ours, peer = sample([counts[what]]), sample([peers[what]])
            yield Figure(f"idle hour, {name}: requests to {what}", "", ours, peer)


def _memory(counted: Mapping[str, Counted]) -> Iterator[Figure]:
    """What an idle service holds."""
    held = {name: sample([resident(each.pid)]) for name, each in counted.items()}
    peer = held.pop(PEER)
    for name, ours in held.items():
        yield Figure(f"idle service, {name}: resident memory", "MB", ours, peer, goals=(MEMORY,))


def _woken(counted: Mapping[str, Counted], seconds: float, posts: int) -> Iterator[Figure]:
    """Post to each of them; the first after it was idle for so long."""
    chance = random.Random(5)  # noqa: S311 - no secret
    taken: dict[str, list[float]] = {name: [] for name in counted}
    for _ in range(posts):
        for name, each in counted.items():
            time.sleep(chance.uniform(0, 3))
            each.told.post()
            taken[name].append(each.told.wait())
    peer = sample(taken.pop(PEER))
    for name, values in taken.items():
        note = f"the first post comes after {seconds:g} s without any"
        yield Figure(f"post to hook, {name}", "s", sample(values), peer, note=note)


def _contenders(folder: Path) -> dict[str, Ours]:
    return {
        "websocket": Ours(folder / "websocket", use_websockets=True),
        "polling": Ours(folder / "polling"),
        SIGNED: Ours(folder / SIGNED),
        PEER: Peer(folder / "peer"),
    }


@contextmanager
def _counted(lab: Lab, name: str, server: Ours) -> Iterator[Counted]:
    services = ("identity", "messaging", "orchestration")
    with ExitStack() as stack:
        keystone, zaqar, heat = (
            stack.enter_context(Wire(address(lab.endpoints[each]))) for each in services
        )
        relay = stack.enter_context(Relay(address(lab.endpoints["messaging-websocket"])))
        region = f"bench-{uuid.uuid4().hex[:8]}"
        endpoints = {
            "zaqar": zaqar.url,
            "heat": f"{heat.url}/v1/%(project_id)s",
            "zaqar-websocket": f"ws://127.0.0.1:{relay.port}",
        }
        add_region(lab, region, endpoints)
        told = (
            Signed(lab, server, zaqar.url)
            if name == SIGNED
            else Told(lab, server, auth_url=f"{keystone.url}/v3/", region_name=region)
        )
        yield Counted(name, told, keystone, zaqar, heat, relay)
