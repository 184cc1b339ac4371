# SPDX-License-Identifier: Apache-2.0
"""Engines are replaced one after another: one has the plug-in already, one has not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from heatclient import exc

from lab import Lab
from lab.config import PLUGIN
from lab.stack import Heat, Stack
from tests.support import answering
from tests.support.answering import Begin, Server
from tests.support.plugin import one
from tests.support.second_heat import second_heat_without_plugin

_TAKES = """
import sys
from heat.common import config
from heat.engine import environment, resources
from oslo_config import cfg

cfg.CONF([], project="heat")
cfg.CONF.set_override("environment_dir", sys.argv[1])
resources.initialise()
print(environment.Environment({}).get_class("OS::Heat::DeployedServer", "server"))
"""


@pytest.fixture(scope="module")
def without(lab: Lab) -> Iterator[Heat]:
    """The Heat of the engine that has it not."""
    with second_heat_without_plugin(lab) as heat:
        yield heat


def heats_own(value: str) -> dict[str, Any]:
    """The template that Heat alone understands."""
    template = one("ZAQAR_SIGNAL", value=value)
    del template["outputs"]["transport"]
    return template


def answered_as_user(stack: Stack, server: Server, action: str, value: str) -> None:
    """Answer the next deployment; the action completes, with this in the stack's output."""
    deployment = server.new()
    answering.post_as_user(deployment, answering.result(deployment.config_id, said=value))
    assert stack.wait(action) == "COMPLETE", stack.reason
    assert stack.output("step.said") == value


def test_a_stack_of_before_goes_on_at_either(heat: Heat, without: Heat) -> None:
    made = without.create(f"rolling-{answering.unique()}", heats_own("first"))
    at_old, at_new = Stack(without.api, made.id), Stack(heat.api, made.id)
    server = Server(heat, made)
    answered_as_user(at_old, server, "CREATE", "first")
    for stack, value in ((at_new, "second"), (at_old, "third"), (at_new, "fourth")):
        stack.update(heats_own(value))
        deployment = server.new()
        body = answering.result(deployment.config_id, said=value)
        answering.post_as_user(deployment, body)
        stack.wait_for_output("step.said", value)
        assert stack.wait("UPDATE") == "COMPLETE", stack.reason
    at_old.delete()


def test_a_stack_with_auto_is_refused_by_the_one_without_and_goes_on(
    begin: Begin, without: Heat
) -> None:
    stack, server = begin(one("AUTO"))
    server.answer(server.new(), said="hello")
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    with pytest.raises(exc.HTTPBadRequest, match="is not an allowed value"):
        Stack(without.api, stack.id).update(one("AUTO", value="second"))
    stack.update(one("AUTO", value="second"))
    server.answer(server.new(), said="again")
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason


@pytest.mark.parametrize("transport", ["AUTO", "ZAQAR_SIGNAL"])
def test_a_result_that_the_one_without_looks_at_is_left_for_the_other(
    begin: Begin, lab: Lab, without: Heat, transport: str
) -> None:
    stack, server = begin(one(transport))
    deployment = server.new()
    body = answering.result(deployment.config_id, said="in flight")
    with lab.frozen("heat"):
        if transport == "AUTO":
            answering.post(deployment.address, body)
        else:
            answering.post_as_user(deployment, body)
        (seen,) = [
            each
            for each in without.api.software_deployments.list()
            if each.config_id == deployment.config_id
        ]
        # Heat alone takes what is there when a deployment is shown.
        assert without.api.software_deployments.get(seen.id).status == "IN_PROGRESS"
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    assert stack.output("step.said") == "in flight"


def test_the_file_must_not_come_before_the_plugin(lab: Lab) -> None:
    """In environment_dir; a stack's own mapping Heat passes over."""
    command = [str(lab.python), "-W", "ignore", "-c", _TAKES, str(PLUGIN / "environment.d")]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert said.returncode == 1
    assert "The Resource Type (OS::Heat::DeployedServer) could not be found" in said.stderr
