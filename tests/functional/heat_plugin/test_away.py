# SPDX-License-Identifier: Apache-2.0
"""Keystone or Zaqar is away for a while, in each phase; a storage forgets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab import Lab
from lab.stack import wait_for
from tests.support import answering
from tests.support.answering import Begin, Inputs, Server, is_acknowledged
from tests.support.forgetting import forget_everything
from tests.support.plugin import one

# Seconds: longer than any of Heat's own tries.
AWAY = 12.0
SERVICES = ("zaqar", "keystone")
each_service = pytest.mark.parametrize("service", SERVICES)
# What the server polls is no queue: here it is about deployments.
POLLING = "POLL_SERVER_CFN"


@contextmanager
def away(lab: Lab, service: str) -> Iterator[None]:
    """Stop a service, and bring it back after some time."""
    lab.stop(service)
    try:
        yield
        time.sleep(AWAY)
    finally:
        lab.start(service)


def answer_when_possible(server: Server, deployment: Inputs) -> None:
    """As an agent: post until that is accepted."""

    def posted() -> bool:
        try:
            server.answer(deployment, said="answered")
        except (OSError, AssertionError):
            return False
        return True

    wait_for("an accepted result", posted)


@each_service
def test_at_create(begin: Begin, lab: Lab, service: str) -> None:
    stack, server = begin(one(server_transport=POLLING))
    with away(lab, service):
        pass
    answer_when_possible(server, server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason


def test_zaqar_at_create_before_anything(begin: Begin, lab: Lab) -> None:
    lab.stop("zaqar")
    try:
        stack, server = begin(one(server_transport=POLLING))
        time.sleep(AWAY)
        assert server.deployments() == []
    finally:
        lab.start("zaqar")
    answer_when_possible(server, server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason


@each_service
@pytest.mark.parametrize("transport", ["AUTO", "ZAQAR_SIGNAL"])
def test_in_progress(begin: Begin, lab: Lab, service: str, transport: str) -> None:
    stack, server = begin(one(transport, server_transport=POLLING))
    deployment = server.new()
    with away(lab, service):
        pass
    if transport == "AUTO":
        answer_when_possible(server, deployment)
    else:
        answering.post_as_user(deployment, answering.result(deployment.config_id))
    assert stack.wait("CREATE") == "COMPLETE", stack.reason


@each_service
def test_at_update_and_at_delete(begin: Begin, lab: Lab, service: str) -> None:
    stack, server = begin(one(server_transport=POLLING))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    with away(lab, service):
        stack.update(one(value="second", server_transport=POLLING))
    answer_when_possible(server, server.new())
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason
    with away(lab, service):
        stack.begin_to_delete()
    stack.wait_until_gone()


def test_keystone_at_delete_of_a_stack_without_users(begin: Begin, lab: Lab) -> None:
    stack, server = begin(one(server_transport="AUTO"))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    with away(lab, "keystone"):
        # Nothing of its own needs Keystone; what Heat deletes after it does.
        stack.begin_to_delete()
    stack.wait_until_gone()


def test_a_server_with_a_queue_whose_metadata_cannot_be_posted(begin: Begin, lab: Lab) -> None:
    stack, server = begin(one())
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    lab.stop("zaqar")
    try:
        # Heat knows of the update before Zaqar is back; that it was posted is seen by its server.
        stack.update(one(value="second"))
        time.sleep(AWAY)
    finally:
        lab.start("zaqar")
    updated = server.new()
    wait_for("the metadata", lambda: updated.config_id in answering.posted_to(stack))
    server.answer(updated)
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason


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
