# SPDX-License-Identifier: Apache-2.0
"""A program in a server's place: it finds its deployments, answers them, looks for Heat's word.

It speaks what :mod:`heat_config.cloud.signed` describes, over plain HTTP, with nothing but the
deployment's own inputs.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from heatclient import exc

from heat_config.cloud import inputs, signed, zaqar
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from lab.stack import Heat, Stack, wait_for

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_CLIENT_ID = str(uuid.uuid4())


class Answer(NamedTuple):
    """What Zaqar says."""

    status: int
    body: Any


class Inputs(NamedTuple):
    """One deployment as the server gets it."""

    config_id: str
    name: str
    values: dict[str, Any]

    @property
    def address(self) -> signed.Address:
        """The signed address that it carries."""
        return signed.parse(self.values["deploy_signal_id"])


def ask(
    address: signed.Address, method: str, *, query: str = "", body: object = None, below: str = ""
) -> Answer:
    """Use a signed address for one request."""
    url = f"{address.endpoint}/v2/queues/{address.queue}/messages{below}{query}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Client-ID": _CLIENT_ID, "Content-Type": "application/json", **address.headers}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with _OPENER.open(request, timeout=30) as answer:
            return Answer(answer.status, json.loads(answer.read() or b"null"))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())


def post(address: signed.Address, body: object) -> None:
    """Post one message."""
    answer = ask(address, "POST", body={"messages": [{"body": body, "ttl": 3600}]})
    assert answer.status == 201, answer


def bodies(address: signed.Address) -> list[Any]:
    """The bodies of all messages, the oldest first."""
    answer = ask(address, "GET", query="?echo=true&limit=20")
    assert answer.status == 200, answer
    return [message["body"] for message in answer.body["messages"]]


def queue_of(deployment: Inputs) -> zaqar.Queue:
    """The queue of a deployment with a user."""
    (name,) = inputs.require(deployment.values, "deploy_queue_id")
    user = User(Credentials.from_inputs(deployment.values), Trust())
    return zaqar.Queue(zaqar.AsUser(user), name, _CLIENT_ID)


def post_as_user(deployment: Inputs, body: object) -> None:
    """Post one message to the queue of a deployment with a user."""
    queue_of(deployment).post(body, 3600)


def posted_to(stack: Stack) -> list[str]:
    """The ids of the configs in the newest metadata on the queue of a server with a user."""
    section = stack.wait_for_server()["zaqar"]
    user = User(Credentials.from_section(section), Trust())
    queue = zaqar.Queue(zaqar.AsUser(user), section["queue_id"], _CLIENT_ID)
    *_, newest = queue.messages()
    metadata: Any = newest.body
    return [each["id"] for each in metadata["deployments"]]


class Server:
    """The deployments of one server, as its metadata have them."""

    def __init__(self, heat: Heat, stack: Stack, resource: str = "server") -> None:
        self._heat = heat
        self._id = wait_for("the server", lambda: _physical_id(heat, stack, resource))
        self._answered: set[str] = set()

    def deployments(self) -> list[Inputs]:
        """All of them, in the order in which they run."""
        found = self._heat.api.software_deployments.metadata(server_id=self._id)
        return [
            Inputs(
                item["id"],
                item["name"],
                {each["name"]: each.get("value") for each in item["inputs"]},
            )
            for item in found
        ]

    def new(self) -> Inputs:
        """The next one that is not answered yet; waits for it."""

        def look() -> Inputs | None:
            unanswered = [
                each for each in self.deployments() if each.config_id not in self._answered
            ]
            return unanswered[0] if unanswered else None

        found: Inputs = wait_for("a deployment", look)
        self._answered.add(found.config_id)
        return found

    def answer(self, deployment: Inputs, **outputs: Any) -> None:
        """Post the result at its signed address."""
        post(deployment.address, result(deployment.config_id, **outputs))


def _physical_id(heat: Heat, stack: Stack, resource: str) -> str | None:
    with suppress(exc.HTTPNotFound):
        return heat.api.resources.get(stack.id, resource).physical_resource_id or None
    return None


def now() -> float:
    """The time by which addresses end."""
    return time.time()


def unique() -> str:
    """A part of a name that no other has."""
    return uuid.uuid4().hex[:8]


def result(config_id: str, **outputs: Any) -> dict[str, Any]:
    """A result as this project's agent posts it."""
    named = {signed.CONFIG_ID: config_id} if config_id else {}
    standard = {"deploy_stdout": "", "deploy_stderr": "", "deploy_status_code": 0}
    return {**standard, **outputs, **named}


def is_acknowledged(deployment: Inputs) -> bool:
    """Whether Heat's word is on the queue, and the result is not."""
    return bodies(deployment.address) == [signed.acknowledgement(deployment.config_id)]


# Begins to create a stack, and gives it and its server's place.
Begin = Callable[..., tuple[Stack, Server]]


@contextmanager
def beginnings(heat: Heat) -> Iterator[Begin]:
    """Begin to create stacks that are deleted, all at once, after the block."""
    names: list[str] = []

    def create(template: dict[str, Any], name: str = "", **options: Any) -> tuple[Stack, Server]:
        names.append(name or f"test-{unique()}")
        stack = heat.create(names[-1], template, **options)
        return stack, Server(heat, stack)

    yield create
    deleted = [stack for name in names if (stack := heat.find(name))]
    for each in deleted:
        with suppress(exc.HTTPNotFound):  # the test has just deleted it
            each.begin_to_delete()
    for each in deleted:
        each.wait_until_gone()
