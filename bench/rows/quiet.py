# SPDX-License-Identifier: Apache-2.0
"""What a server costs to which nothing happens: requests, memory, and how soon it then wakes up.

Keystone's tokens live for three minutes here, so that their renewal is seen.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import peak, resident, show, show_all
from bench.servers import Ours, Peer
from bench.waiting import Signed, Told
from lab import Lab
from lab.catalog import add_region
from lab.relay import Relay
from lab.stack import wait_for
from lab.wire import Wire
from tests.support.wires import address

TOKEN_LIFE = 180
# With a signed address in place of a user.
SIGNED = "signed"
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
        """How much of everything there was until now."""
        return {
            "requests to Keystone": len(self.keystone.history),
            "requests to Zaqar": len(self.zaqar.history),
            "requests to Heat": len(self.heat.history),
            "websocket connections": self.websocket.connections,
            "websocket bytes sent": self.websocket.sent,
        }


def measure(folder: Path, seconds: float, servers: int, settle: float) -> None:
    """Let servers be idle for a while, count, and then post to each.

    ``settle``: seconds from the last change to the count; ours looks ever less often in them.
    """
    with (
        Lab(folder / "lab", token_expiration=TOKEN_LIFE, say=lambda _: None) as lab,
        ExitStack() as stack,
    ):
        counted = [
            stack.enter_context(_counted(lab, name, server))
            for name, server in _contenders(folder).items()
        ]
        others = _others(lab, folder, servers - 1)
        for each in counted:
            each.pid = stack.enter_context(each.told.server.serving(each.told.given))
        for told in others.values():
            stack.enter_context(told.server.serving(told.given))
        first = [each.told for each in counted]
        for told in (*first, *others.values()):
            told.post()
            told.wait()
        time.sleep(settle)
        before = [each.counts() for each in counted]
        time.sleep(seconds)
        for each, then in zip(counted, before, strict=True):
            _show_hour(each, then, seconds)
        _wake(counted, others, settle + seconds)


def _show_hour(each: Counted, before: dict[str, int], seconds: float) -> None:
    total = 0.0
    counted = each.counts()
    for what, count in counted.items():
        hourly = (count - before[what]) * HOUR / seconds
        if what.startswith("requests"):
            total += hourly
        elif each.name != "websocket":
            continue
        show(f"{what} in an idle hour, {each.name}", hourly, "of them")
    show(f"requests in an idle hour, {each.name}", total, "of them")
    # What follows is calculated. The peer asks for a token at each look; over websocket there are
    # fewer requests to Zaqar, too, than it says.
    if each.name != "peer":
        name = "requests to Keystone"
        renewals = (counted[name] - before[name]) * HOUR / seconds
        rarely = total - renewals + renewals * (TOKEN_LIFE - RENEWED) / (HOUR - RENEWED)
        name = f"the same with tokens that live for an hour, calculated, {each.name}"
        show(name, rarely, "of them")
    show(f"resident memory after {seconds:g} s, {each.name}", resident(each.pid), "MB")
    show(f"resident memory at most, {each.name}", peak(each.pid), "MB")


def _wake(counted: list[Counted], others: dict[str, Told], seconds: float) -> None:
    """Post to each of ours, one after the other."""
    chance = random.Random(5)  # noqa: S311 - no secret
    for way in ("websocket", "polling"):
        mine = [each.told for each in counted if each.name == way]
        mine += [told for name, told in others.items() if name.startswith(way)]
        taken = []
        for told in mine:
            time.sleep(chance.uniform(0, 3))
            told.post()
            taken.append(told.wait())
        show_all(f"post to hook after {seconds:g} s idle, {way}", taken, "s")


def _contenders(folder: Path) -> dict[str, Ours]:
    return {
        "websocket": Ours(folder / "websocket", use_websockets=True),
        "polling": Ours(folder / "polling"),
        SIGNED: Ours(folder / SIGNED),
        "peer": Peer(folder / "peer"),
    }


def _others(lab: Lab, folder: Path, count: int) -> dict[str, Told]:
    """More of ours, that nobody counts, to be woken up."""
    found = {}
    for way in ("websocket", "polling"):
        for number in range(count):
            name = f"{way}-{number}"
            server = Ours(folder / name, use_websockets=way == "websocket")
            found[name] = Told(lab, server)
    return found


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


def rounds(lab: Lab, folder: Path, count: int) -> None:
    """How much memory grows in rounds at full speed; the first tenth is not counted."""
    server = Ours(folder / "rounds", min_polling_interval=0, polling_interval=0)
    server.tune("from heat_config.collect import options; options.BOUNDS.clear()")
    told = Told(lab, server)
    looks = Looks(lab.logs["zaqar"], told.queue)
    with server.serving(told.given) as pid:
        told.post()
        told.wait()
        looks.wait(count // 10)
        before = resident(pid)
        begun = time.monotonic()
        looks.wait(count + count // 10)
        show(f"{count} rounds at full speed", time.monotonic() - begun, "s")
        show(f"resident memory after {count} rounds", resident(pid), "MB")
        show(f"its growth over {count} rounds", resident(pid) - before, "MB")


class Looks:
    """How often a queue was looked at, by Zaqar's log."""

    def __init__(self, log: Path, queue: str) -> None:
        self._file = log.open(errors="replace")
        self._text = f"GET /v2/queues/{queue}/messages"
        self._seen = 0

    def wait(self, count: int) -> None:
        """Wait until it was looked at so often."""
        wait_for("the rounds", lambda: self._count() >= count, patience=HOUR)

    def _count(self) -> int:
        self._seen += sum(self._text in line for line in self._file)
        return self._seen
