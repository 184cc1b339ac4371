# SPDX-License-Identifier: Apache-2.0
"""From the post of a server's metadata to the start of the hook that it asks for."""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from bench.figures import show_all
from bench.servers import Ours
from heat_config.cloud import signed
from lab import Lab
from lab.stack import wait_for
from tests.support.signing import Signing
from tests.support.user import DemoUser

# Seconds between the end of one and the post of the next, at random.
PAUSE = (0.2, 2.5)
# Seconds that a signed address opens its queue: longer than anything is measured.
LIFE = 86_400


class Told:
    """A server that is told what to do on a queue of its own, as Heat would tell it."""

    def __init__(self, lab: Lab, server: Ours, **changed: object) -> None:
        self.server = server
        self._user = DemoUser(lab)
        self.queue = f"bench-{uuid.uuid4().hex[:12]}"
        names = ("auth_url", "user_id", "password", "project_id", "region_name")
        values = {name: self._user.values[f"deploy_{name}"] for name in names}
        self.given: dict[str, Any] = {
            "collectors": ["zaqar", "local"],
            "zaqar": {**values, "queue_id": self.queue, **changed},
        }
        self._url = f"{lab.endpoints['messaging']}/v2/queues/{self.queue}/messages"
        self._posted: list[float] = []

    def post(self) -> None:
        """Ask for one more config, whose script notes when it has begun."""
        script = f"#!/bin/sh\ndate +%s.%N >> {self.server.root}/begun\n"
        item: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": f"step{len(self._posted)}",
            "group": "script",
            "config": script,
            "creation_time": "2026-11-24T00:00:00Z",
            "inputs": [],
            "outputs": [],
            "options": {},
        }
        body = {"deployments": [item], "os-collect-config": self.given}
        message = {"messages": [{"body": body, "ttl": 3600}]}
        self._posted.append(time.time())
        answer = requests.post(self._url, json=message, headers=self._user.headers(), timeout=30)
        answer.raise_for_status()

    def wait(self) -> float:
        """Wait until the hook has begun; return the seconds from the post to it."""
        wait_for("the hook", lambda: len(self._begun()) == len(self._posted))
        return self._begun()[-1] - self._posted[-1]

    def _begun(self) -> list[float]:
        path = self.server.root / "begun"
        return [float(line) for line in path.read_text().split()] if path.exists() else []


class Signed(Told):
    """A server that is given a signed address for that, in place of a user."""

    def __init__(self, lab: Lab, server: Ours, endpoint: str) -> None:
        super().__init__(lab, server)
        made = Signing(lab, self.queue).address("GET", "DELETE", seconds=LIFE)
        written = signed.written(replace(made, endpoint=endpoint))
        self.given["zaqar"] = {"queue_id": self.queue, "signed_address": written}


def measure(lab: Lab, folder: Path, posts: int) -> None:
    """Post again and again, at random moments after the one before."""
    chance = random.Random(4)  # noqa: S311 - no secret
    for way in ("websocket", "polling"):
        told = Told(lab, Ours(folder / f"wait-{way}", use_websockets=way == "websocket"))
        taken = []
        with told.server.serving(told.given):
            told.post()
            told.wait()
            for _ in range(posts):
                time.sleep(chance.uniform(*PAUSE))
                told.post()
                taken.append(told.wait())
        show_all(f"post to hook, {way}", taken, "s")
