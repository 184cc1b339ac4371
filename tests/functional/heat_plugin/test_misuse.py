# SPDX-License-Identifier: Apache-2.0
"""What the holder of a deployment's address can do besides answering.

Over HTTP: read its queue, no more. Over the websocket Zaqar does not compare the signed path with
the queue that is asked for, and the design does not rest on that: the project holds one stack and
the names of its queues cannot be guessed. These tests fail when Zaqar changes that, either way.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from websocket import create_connection

from heat_config.cloud import signed
from lab import Lab
from lab.stack import Heat
from tests.support.answering import Answer, Server, ask, post, unique
from tests.support.plugin import one

OTHER = "another-queue"
PATHS = (f"/v2/queues/{OTHER}/messages",)

# A change of an address with which nothing is opened, and the request that tries it.
MISUSES: dict[str, tuple[str, dict[str, Any]]] = {
    "another queue's path": ("GET", {"queue": OTHER, "paths": PATHS}),
    "a method that is not signed": ("DELETE", {}),
    "a method of one's own": ("DELETE", {"methods": ("DELETE", "GET", "POST")}),
    "another project": ("GET", {"project": "0" * 32}),
    "a longer life": ("GET", {"expires": "2099-01-01T00:00:00"}),
    "a life that has ended": ("GET", {"expires": "2020-01-01T00:00:00"}),
    "another signature": ("GET", {"signature": "0" * 64}),
}
each_misuse = pytest.mark.parametrize("misuse", MISUSES)

# The same requests over the websocket.
ACTIONS = {"GET": "message_list", "DELETE": "message_delete_many"}
# What no method is signed for.
OTHER_ACTIONS = ("queue_list", "queue_delete", "claim_create", "subscription_create")

Request = Callable[..., Answer]


@pytest.fixture(scope="module")
def address(heat: Heat) -> Iterator[signed.Address]:
    """The address of a deployment that waits for its answer."""
    stack = heat.create(f"misuse-{unique()}", one())
    server = Server(heat, stack)
    found = server.new()
    # Over the websocket a queue on which nothing was yet is none.
    post(found.address, {"neither": "result nor word"})
    yield found.address
    # What was tried has done nothing to it.
    server.answer(found)
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    stack.begin_to_delete()


@pytest.fixture
def request_of(lab: Lab) -> Iterator[Request]:
    """Sends a request with an address over a websocket of its own."""
    socket = create_connection(lab.endpoints["messaging-websocket"], timeout=30)

    def send(address: signed.Address, action: str, **body: Any) -> Answer:
        headers = {
            **address.headers,
            "Client-ID": str(uuid.uuid4()),
            # As lists: a text is refused.
            "URL-Methods": list(address.methods),
            "URL-Paths": list(address.paths),
        }
        asked = {"action": action, "headers": headers, "body": body}
        socket.send(json.dumps(asked))
        answer = json.loads(socket.recv())
        return Answer(answer["headers"]["status"], answer["body"])

    yield send
    socket.close()


class TestOverHttp:
    @each_misuse
    def test_nothing_else_is_opened(self, address: signed.Address, misuse: str) -> None:
        assert ask(address, "GET").status == 200
        method, changes = MISUSES[misuse]
        query = "?ids=1" if method == "DELETE" else ""
        assert ask(replace(address, **changes), method, query=query).status == 404

    def test_nor_another_queue(self, address: signed.Address) -> None:
        assert ask(replace(address, queue=OTHER), "GET").status == 404

    def test_the_queue_itself_cannot_be_deleted_or_signed_again(
        self, address: signed.Address
    ) -> None:
        for method, below in (("DELETE", "/.."), ("POST", "/../share"), ("POST", "/../claims")):
            assert ask(address, method, below=below, body={}).status == 404
        assert ask(address, "GET").status == 200


class TestOverTheWebsocket:
    @each_misuse
    def test_nothing_else_is_opened(
        self, request_of: Request, address: signed.Address, misuse: str
    ) -> None:
        assert request_of(address, "message_list", queue_name=address.queue).status == 200
        method, changes = MISUSES[misuse]
        changed = replace(address, **changes)
        ids = {"message_ids": ["1"]} if method == "DELETE" else {}
        answer = request_of(changed, ACTIONS[method], queue_name=changed.queue, **ids)
        assert (answer.status, answer.body) == (403, {"error": "Not authentified."})

    @pytest.mark.parametrize("action", OTHER_ACTIONS)
    def test_nor_another_action(
        self, request_of: Request, address: signed.Address, action: str
    ) -> None:
        more = {} if action == "queue_list" else {"queue_name": address.queue}
        assert request_of(address, action, **more).status == 403

    def test_another_queue_of_the_same_project_is_opened_by_who_knows_its_name(
        self, request_of: Request, address: signed.Address
    ) -> None:
        """Zaqar 23.0.1: the reason why a project holds one stack, and names cannot be guessed."""
        message = {"body": "written by another", "ttl": 60}
        posted = request_of(address, "message_post", queue_name=OTHER, messages=[message])
        assert posted.status == 201, posted
        found = request_of(address, "message_list", queue_name=OTHER, echo=True)
        assert [each["body"] for each in found.body["messages"]] == ["written by another"]


def test_heat_has_all_that_the_plugin_uses_of_it(lab: Lab) -> None:
    program = "from heat_plugin import heat_names, types; print(list(heat_names.missing()))"
    said = subprocess.run(
        [str(lab.python), "-W", "ignore", "-c", program],
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "[]"
