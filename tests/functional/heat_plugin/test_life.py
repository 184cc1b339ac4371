# SPDX-License-Identifier: Apache-2.0
"""The plug-in comes to a cloud that has stacks, and goes again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from heatclient import exc

from lab import Lab
from lab.stack import Stack
from tests.support import answering
from tests.support.answering import Begin, Server
from tests.support.plugin import one


@pytest.fixture(autouse=True)
def it_is_there_again(lab: Lab) -> Iterator[None]:
    """Whatever a test leaves, the next begins with the plug-in."""
    yield
    lab.load_plugin(True)


def step(stack: Stack, server: Server, action: str, *, user: bool) -> None:
    """Answer the next deployment; the action completes."""
    deployment = server.new()
    body = answering.result(deployment.config_id, said=action)
    if user:
        answering.post_as_user(deployment, body)
    else:
        answering.post(deployment.address, body)
    assert stack.wait(action) == "COMPLETE", stack.reason
    assert stack.output("step.said") == action


def heats_own(value: str) -> dict[str, Any]:
    """The template that Heat alone understands."""
    template = one("ZAQAR_SIGNAL", value=value)
    del template["outputs"]["transport"]
    return template


def test_a_stack_of_before_goes_on(begin: Begin, lab: Lab) -> None:
    lab.load_plugin(False)
    stack, server = begin(heats_own("first"))
    step(stack, server, "CREATE", user=True)
    lab.load_plugin(True)
    stack.update(heats_own("second"))
    step(stack, server, "UPDATE", user=True)


def test_it_turns_to_auto_and_is_turned_back_before_the_plugin_goes(begin: Begin, lab: Lab) -> None:
    lab.load_plugin(False)
    stack, server = begin(heats_own("first"))
    step(stack, server, "CREATE", user=True)
    lab.load_plugin(True)
    stack.update(one("AUTO", server_transport="AUTO", value="second"))
    step(stack, server, "UPDATE", user=False)
    stack.update(heats_own("third"))
    deployment = server.new()
    answering.post_as_user(deployment, answering.result(deployment.config_id, said="third"))
    stack.wait_for_output("step.said", "third")
    lab.load_plugin(False)
    stack.update(heats_own("fourth"))
    deployment = server.new()
    answering.post_as_user(deployment, answering.result(deployment.config_id, said="fourth"))
    stack.wait_for_output("step.said", "fourth")
    stack.delete()


def test_without_it_a_stack_with_auto_can_be_deleted_and_is_refused_clearly(
    begin: Begin, lab: Lab
) -> None:
    stack, server = begin(one("AUTO", progress=True))
    step(stack, server, "CREATE", user=False)
    lab.load_plugin(False)
    with pytest.raises(exc.HTTPBadRequest, match="Unknown Property progress"):
        stack.update(one("CFN_SIGNAL", value="second", progress=True))
    with pytest.raises(exc.HTTPBadRequest, match="is not an allowed value"):
        stack.update(one("AUTO", value="second"))
    stack.delete()


def test_a_result_that_comes_while_it_is_gone_stays_on_its_queue(begin: Begin, lab: Lab) -> None:
    stack, server = begin(one("AUTO"))
    deployment = server.new()
    lab.load_plugin(False)
    server.answer(deployment, said="meanwhile")
    lab.load_plugin(True)
    assert [each["said"] for each in answering.bodies(deployment.address)] == ["meanwhile"]
    stack.update(one("AUTO", value="second"))
    step(stack, server, "UPDATE", user=False)
