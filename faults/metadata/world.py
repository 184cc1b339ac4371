# SPDX-License-Identifier: Apache-2.0
"""The control plane of the way in: Heat's part, which is a queue and the posts to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
from typing import Any

from faults import world
from faults.schedule import KEYSTONE, ZAQAR
from faults.wires import FaultyWire
from lab import Lab
from lab.catalog import add_region

# Seconds that a message lives: longer than any schedule.
TTL = 600
# Seconds of a claim, the fewest that Zaqar takes. It is given back before it ends.
CLAIM = {"ttl": 60, "grace": 60}


class PostingWire(FaultyWire):
    """A wire on whose requests Heat may post."""

    post: Callable[[], None] = staticmethod(lambda: None)

    def _next_action(self) -> Any:
        action = super()._next_action()
        if self.now.step == "post-before":
            self.post()
        return action

    def served(self, step: str) -> None:
        """Post before the client hears of the answer."""
        if step == "post-after":
            self.post()
        super().served(step)


class Place(world.Place):
    """Two wires and a region in which Zaqar is one of them."""

    wires: dict[str, PostingWire]

    def __init__(self, lab: Lab, region: str, wires: dict[str, PostingWire]) -> None:
        super().__init__(wires)
        self._zaqar = lab.endpoints["messaging"]
        environment = lab.environment()
        self._user = world.user(
            auth_url=environment["OS_AUTH_URL"],
            username=environment["OS_USERNAME"],
            password=environment["OS_PASSWORD"],
            project_name=environment["OS_PROJECT_NAME"],
            user_domain_name="Default",
            project_domain_name="Default",
        )
        self._access: dict[str, str] = {
            "user_id": str(self._user.get_user_id()),
            "password": environment["OS_PASSWORD"],
            "project_id": str(self._user.get_project_id()),
            "region_name": region,
        }

    def access(self, queue: str) -> dict[str, str]:
        """The section zaqar of a server's configuration."""
        auth_url = f"{self.wires[KEYSTONE].url}/v3/"
        return {**self._access, "auth_url": auth_url, "queue_id": queue}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask Zaqar, past the wires."""
        answer = self._user.request(
            f"{self._zaqar}/v2/queues/{path}", method, headers=world.CLIENT, **options
        )
        return answer.json() if answer.content else {}


class Queue:
    """A server's queue, as those see it who write to it."""

    def __init__(self, place: Place) -> None:
        self.name = f"faults-{uuid.uuid4().hex[:16]}"
        self.posted = 0
        """How many times Heat has posted metadata; the number of the newest."""
        self._place = place
        self._lock = Lock()
        self._claims: list[str] = []

    def post(self) -> None:
        """Post the whole metadata, as Heat does."""
        with self._lock:
            self.posted += 1
            self._post({"deployments": [], "n": self.posted})
        self._place.journal.note(f"Heat posts {self.posted}")

    def post_rubbish(self) -> None:
        """Post what is no metadata."""
        self._post("rubbish")

    def claim(self) -> None:
        """Claim all, as another program."""
        answer = self._place.ask("POST", f"{self.name}/claims?limit=20", json=CLAIM)
        claimed = [each["href"].partition("claim_id=")[2] for each in answer.get("messages", [])]
        self._claims += claimed[:1]
        self._place.journal.note(f"another program claims {len(claimed)}")

    def let_go(self) -> None:
        """Give everything back that was claimed, as the end of the claims would."""
        for claim in self._claims:
            self._place.ask("DELETE", f"{self.name}/claims/{claim}")
        self._claims.clear()
        self._place.journal.note("what was claimed is given back")

    def left(self) -> int:
        """How many messages are there, at least."""
        path = f"{self.name}/messages?echo=true&include_claimed=true&marker=0"
        return len(self._place.ask("GET", path)["messages"])

    def remove(self) -> None:
        """Remove it."""
        self._place.ask("DELETE", self.name)

    def _post(self, body: object) -> None:
        message = {"body": body, "ttl": TTL}
        self._place.ask("POST", f"{self.name}/messages", json={"messages": [message]})


def places(lab: Lab, count: int) -> AbstractContextManager[list[Place]]:
    """Make places for so many schedules at once, all on one lab."""

    def make(name: str, wires: dict[str, PostingWire], _: ExitStack) -> Place:
        endpoints = {
            "zaqar": wires[ZAQAR].url,
            "zaqar-websocket": lab.endpoints["messaging-websocket"],
        }
        add_region(lab, name, endpoints)
        return Place(lab, name, wires)

    services = {KEYSTONE: "identity", ZAQAR: "messaging"}
    return world.places(count, "metadata", lambda: world.wires(lab, services, PostingWire), make)
