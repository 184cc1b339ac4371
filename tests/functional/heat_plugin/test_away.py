# SPDX-License-Identifier: Apache-2.0
"""Keystone or Zaqar is away for a while, for stacks in every phase at once; a storage forgets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support import answering
from tests.support.answering import Begin, Inputs, Server, beginnings, is_acknowledged
from tests.support.forgetting import forget_everything
from tests.support.plugin import one

# Seconds: longer than any of Heat's own tries.
AWAY = 12.0
# What the server polls is no queue: here it is about deployments.
POLLING = "POLL_SERVER_CFN"

# The phases: of stacks that wait for an answer, of complete ones, and of those that are to begin.
WAITING = ("AUTO", "ZAQAR_SIGNAL")
COMPLETE = {
    "update": one(server_transport=POLLING),
    "update with a queue": one(),
    "delete": one(server_transport=POLLING),
    "delete without users": one(server_transport="AUTO"),
}
CREATE, CREATE_IN_IT = "create", "create in it"


class Phases:
    """The stacks that an outage meets, by phase, and their servers."""

    def __init__(self) -> None:
        self.stacks: dict[str, Stack] = {}
        self.servers: dict[str, Server] = {}
        self.asked: dict[str, Inputs] = {}
        """What those that wait were asked for before it."""
        self.asked_in_it: list[Inputs] = []
        """What the server was asked for in it whose stack was begun in it."""

    def new(self, begin: Begin, phase: str, template: dict[str, Any]) -> None:
        """Begin a stack."""
        self.stacks[phase], self.servers[phase] = begin(template)

    def answer(self, phase: str, *, asked: Inputs | None = None) -> None:
        """As an agent: post until that is accepted."""
        server = self.servers[phase]
        deployment = asked or server.new()

        def posted() -> bool:
            try:
                server.answer(deployment, said="answered")
            except (OSError, AssertionError):
                return False
            return True

        wait_for("an accepted result", posted)

    def becomes_complete(self, phase: str, action: str) -> None:
        stack = self.stacks[phase]
        assert stack.wait(action) == "COMPLETE", stack.reason


def before(begin: Begin, phases: Phases) -> None:
    """Bring each stack to where the outage is to meet it; that of ``create`` comes last."""
    for phase, template in COMPLETE.items():
        phases.new(begin, phase, template)
    for phase in WAITING:
        phases.new(begin, phase, one(phase, server_transport=POLLING))
        phases.asked[phase] = phases.servers[phase].new()
    for phase in COMPLETE:
        phases.answer(phase)
    for phase in COMPLETE:
        phases.becomes_complete(phase, "CREATE")
    phases.new(begin, CREATE, one(server_transport=POLLING))


def during(begin: Begin, phases: Phases, service: str) -> None:
    """Begin what is to begin while the service is away."""
    phases.stacks["update"].update(one(value="second", server_transport=POLLING))
    phases.stacks["delete"].begin_to_delete()
    # Nothing of its own needs Keystone; what Heat deletes after it does.
    phases.stacks["delete without users"].begin_to_delete()
    if service == "zaqar":
        # Heat knows of the update before Zaqar is back; that it was posted is seen by its server.
        phases.stacks["update with a queue"].update(one(value="second"))
        phases.new(begin, CREATE_IN_IT, one(server_transport=POLLING))


@pytest.fixture(scope="module")
def outage(request: pytest.FixtureRequest, lab: Lab, heat: Heat) -> Iterator[Phases]:
    """One outage of a service, for all phases."""
    service: str = request.param
    phases = Phases()
    with beginnings(heat) as begin:
        before(begin, phases)
        lab.stop(service)
        try:
            during(begin, phases, service)
            time.sleep(AWAY)
            if begun := phases.servers.get(CREATE_IN_IT):
                phases.asked_in_it = begun.deployments()
        finally:
            lab.start(service)
        yield phases


of_each = pytest.mark.parametrize("outage", ["zaqar", "keystone"], indirect=True)
of_zaqar = pytest.mark.parametrize("outage", ["zaqar"], indirect=True)


@of_each
def test_at_create(outage: Phases) -> None:
    outage.answer(CREATE)
    outage.becomes_complete(CREATE, "CREATE")


@of_zaqar
def test_at_create_before_anything(outage: Phases) -> None:
    assert outage.asked_in_it == []
    outage.answer(CREATE_IN_IT)
    outage.becomes_complete(CREATE_IN_IT, "CREATE")


@of_each
@pytest.mark.parametrize("transport", WAITING)
def test_in_progress(outage: Phases, transport: str) -> None:
    deployment = outage.asked[transport]
    if transport == "AUTO":
        outage.answer(transport, asked=deployment)
    else:
        answering.post_as_user(deployment, answering.result(deployment.config_id))
    outage.becomes_complete(transport, "CREATE")


@of_each
def test_at_update(outage: Phases) -> None:
    outage.answer("update")
    outage.becomes_complete("update", "UPDATE")


@of_zaqar
def test_a_server_with_a_queue_whose_metadata_cannot_be_posted(outage: Phases) -> None:
    phase = "update with a queue"
    updated = outage.servers[phase].new()
    posted_to = partial(answering.posted_to, outage.stacks[phase])
    wait_for("the metadata", lambda: updated.config_id in posted_to())
    outage.answer(phase, asked=updated)
    outage.becomes_complete(phase, "UPDATE")


@of_each
@pytest.mark.parametrize("phase", ["delete", "delete without users"])
def test_at_delete(outage: Phases, phase: str) -> None:
    outage.stacks[phase].wait_until_gone()


def test_a_storage_that_forgets_a_result_before_heat_has_seen_it(begin: Begin, lab: Lab) -> None:
    stack, server = begin(one(server_transport=POLLING))
    deployment = server.new()
    with lab.frozen("heat"):
        server.answer(deployment)
        forget_everything(lab)
    # Neither the result nor Heat's word is there: the agent posts again.
    assert answering.bodies(deployment.address) == []
    server.answer(deployment, said="again")
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    assert is_acknowledged(deployment)
