# SPDX-License-Identifier: Apache-2.0
"""The deployment's own queue: whose message is whose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from requests import Response

from heat_config.cloud.errors import Outcome
from heat_config.cloud.keystone import User
from heat_config.cloud.signed import CONFIG_ID
from heat_config.result import Result
from heat_config.signals import zaqar

RESULT = Result(0, "out", outputs={"a": "b"})


class Zaqar(User):
    """A user who finds a queue in memory in the cloud."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}
        self.clients: set[str] = set()
        self._posted = 0

    def endpoint(self, service_type: str) -> str:
        assert service_type == "messaging"
        return "http://zaqar.example"

    def request(self, url: str, method: str, **options: Any) -> Response:
        assert url == "http://zaqar.example/v2/queues/q/messages"
        self.clients.add(options["headers"]["Client-ID"])
        response = Response()
        response._content = b""
        response.status_code = 204 if method == "DELETE" else 200
        if method == "POST":
            content: dict[str, Any] = {"resources": [self._post(json.loads(options["data"]))]}
        elif method == "DELETE":
            self._delete(options["params"].removeprefix("ids=").split(","))
            return response
        else:
            content = {"messages": [{"id": each, **kept} for each, kept in self.there.items()]}
        response._content = json.dumps(content).encode()
        return response

    def _post(self, posted: dict[str, Any]) -> str:
        (message,) = posted["messages"]
        self._posted += 1
        self.there[f"m{self._posted}"] = message
        return f"/messages/m{self._posted}"

    def _delete(self, ids: list[str]) -> None:
        for each in ids:
            del self.there[each]


@pytest.fixture
def there() -> Zaqar:
    return Zaqar()


def queue_of(config_id: str, there: Zaqar) -> zaqar.Queue:
    return zaqar.Queue({"deploy_queue_id": "q"}, config_id, 3600, there)


def test_the_message_is_the_result_and_says_whose_it_is(there: Zaqar) -> None:
    assert queue_of("c1", there).post(RESULT) == "queue q at http://zaqar.example"
    (message,) = there.there.values()
    assert message == {"ttl": 3600, "body": {**RESULT.as_dict(), "deploy_config_id": "c1"}}


def test_the_limit_leaves_room_for_all_that_is_added() -> None:
    posted = {"messages": [{"body": {CONFIG_ID: "c" * 255}, "ttl": 1_209_600}]}
    assert zaqar.LIMIT + len(json.dumps(posted)) < 262_144


def test_only_its_own_is_found_and_removed(there: Zaqar) -> None:
    own, other = queue_of("c1", there), queue_of("c2", there)
    other.post(RESULT)
    there.there["strangers"] = {"body": ["no", "object"]}
    assert (own.find(), other.find()) == (Outcome.ABSENT, Outcome.PRESENT)
    own.remove()
    assert other.find() is Outcome.PRESENT
    own.post(RESULT)
    own.post(RESULT)
    assert own.find() is Outcome.PRESENT
    own.remove()
    assert (own.find(), other.find()) == (Outcome.ABSENT, Outcome.PRESENT)
    assert "strangers" in there.there


def test_a_deployment_is_always_the_same_client(there: Zaqar) -> None:
    for _ in range(2):
        queue_of("c1", there).find()
    assert len(there.clients) == 1
    queue_of("c2", there).find()
    assert len(there.clients) == 2
