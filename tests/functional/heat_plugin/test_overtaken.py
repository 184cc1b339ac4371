# SPDX-License-Identifier: Apache-2.0
"""Two deployments of a server begin side by side, and what Heat has stored first is posted last."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count
from threading import Event
from typing import Any

import pytest

from heat_config.cloud import zaqar as zaqar_api
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_config.collect import metadata
from lab import Lab
from lab.catalog import turn_aside
from lab.stack import PATIENCE, Heat, Stack, wait_for
from lab.wire import Action, Wire
from tests.support.plugin import restart_heat
from tests.support.template import template
from tests.support.wires import address


@pytest.fixture
def zaqar(lab: Lab) -> Iterator[Wire]:
    """Where Keystone's catalog has Zaqar for everybody; the engine keeps what it has read there."""
    direct = lab.endpoints["messaging"]
    with Wire(address(direct)) as wire:
        turn_aside(lab, "zaqar", "public", wire.url)
        restart_heat(lab)
        yield wire
        turn_aside(lab, "zaqar", "public", direct)
    restart_heat(lab)


class Overtaking:
    """A rule for a wire: the first post after the server's own waits until another has passed."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._posts = count()
        self.has_begun = Event()
        wire.history.clear()
        wire.obey(self)

    def __call__(self, method: str, path: str) -> Action | None:
        if method == "POST" and path.endswith("/messages") and next(self._posts) == 1:
            self.has_begun.set()
            wait_for("the other post", self._has_another_passed)
        return None

    def _has_another_passed(self) -> bool:
        paths = [each.path for each in self._wire.requests("POST")]
        return sum(each.endswith("/messages") for each in paths) > 1


def two() -> dict[str, Any]:
    """A server and two deployments of it, for which Heat does not wait; the other needs a word."""
    deployments: dict[str, Any] = {name: {"config": "#!/bin/sh\n"} for name in ("one", "other")}
    made = template(
        server_transport="ZAQAR_MESSAGE", signal_transport="NO_SIGNAL", deployments=deployments
    )
    made["resources"]["handle"] = {"type": "OS::Heat::WaitConditionHandle"}
    properties = {"handle": {"get_resource": "handle"}, "timeout": 120}
    made["resources"]["word"] = {"type": "OS::Heat::WaitCondition", "properties": properties}
    made["resources"]["other_deployment"]["depends_on"] = "word"
    return made


def posted(stack: Stack) -> list[int]:
    """How many deployments the server is asked for, by each message."""
    given = stack.wait_for_server()["zaqar"]
    user = User(Credentials.from_section({"region_name": None, **given}), Trust())
    queue = zaqar_api.Queue(zaqar_api.AsUser(user), given["queue_id"], str(uuid.uuid4()))
    return [len(metadata.read(each.body)["deployments"]) for each in queue.messages()]


def status(heat: Heat, stack: Stack, resource: str) -> str:
    """A resource's state."""
    return str(heat.api.resources.get(stack.id, resource).resource_status)


def test_the_newest_message_has_both(heat: Heat, zaqar: Wire) -> None:
    overtaking = Overtaking(zaqar)
    stack = heat.create(f"test-{uuid.uuid4().hex[:8]}", two())
    assert overtaking.has_begun.wait(PATIENCE / 4)
    wait_for("the condition", lambda: status(heat, stack, "word") == "CREATE_IN_PROGRESS")
    heat.api.resources.signal(stack.id, "handle", data={"status": "SUCCESS"})
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    # The last one puts right what the one before it has made wrong.
    assert posted(stack) == [0, 2, 1, 2]
    stack.delete()
