# SPDX-License-Identifier: Apache-2.0
"""heat-config-heat-turn-back: after it Heat alone updates and deletes what was on the plug-in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support import answering
from tests.support.answering import Begin, Server
from tests.support.checkout import REPOSITORY
from tests.support.plugin import one

ASK = "import sys; from heat_plugin.turn_back import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def it_is_there_again(lab: Lab) -> Iterator[None]:
    """Whatever a test leaves, the next begins with the plug-in."""
    yield
    lab.load_plugin(True)


def begin_to_turn(lab: Lab, stack: Stack, *more: str) -> subprocess.Popen[str]:
    environment = {**lab.environment(), "PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"}
    command = [str(lab.python), "-c", ASK, stack.id, *more]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


def create(begin: Begin, template: dict[str, Any]) -> tuple[Stack, Server]:
    stack, server = begin(template)
    deployment = server.new()
    answering.post(deployment.address, answering.result(deployment.config_id, said="first"))
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    return stack, server


def turn(lab: Lab, stack: Stack, server: Server) -> None:
    """Turn it, while its server answers."""
    turning = begin_to_turn(lab, stack, "--yes", "--minutes", "3")
    deployment = server.new()
    answering.post_as_user(deployment, answering.result(deployment.config_id, said="again"))
    said, _ = turning.communicate(timeout=200)
    assert (turning.returncode, "-> turned" in said) == (0, True), said


def nested(heat: Heat, stack: Stack) -> Stack:
    """The stack within another."""

    def found() -> Any:
        return heat.api.resources.get(stack.id, "inner").physical_resource_id

    return Stack(heat.api, wait_for("the stack within", found))


def as_group(template: dict[str, Any]) -> dict[str, Any]:
    """The same with a group of one in place of the deployment."""
    deployment = template["resources"]["step_deployment"]
    deployment["type"] = "OS::Heat::SoftwareDeploymentGroup"
    properties = deployment["properties"]
    properties["servers"] = {"only": properties.pop("server")}
    return {**template, "outputs": {"server": template["outputs"]["server"]}}


def as_cfn(template: dict[str, Any]) -> dict[str, Any]:
    """The same server and deployment as CloudFormation writes them."""

    def written(node: Any) -> Any:
        if isinstance(node, dict):
            names = {"get_resource": "Ref"}
            return {names.get(key, key): written(each) for key, each in node.items()}
        return node

    resources = {
        name: {"Type": each["type"], "Properties": written(each["properties"])}
        for name, each in template["resources"].items()
    }
    return {"HeatTemplateFormatVersion": "2012-12-12", "Resources": resources}


def update_and_delete_with_heat_alone(lab: Lab, stack: Stack, server: Server) -> None:
    lab.load_plugin(False)
    template = one("ZAQAR_SIGNAL", value="second")
    del template["outputs"]["transport"]
    stack.update(template)
    deployment = server.new()
    answering.post_as_user(deployment, answering.result(deployment.config_id, said="alone"))
    stack.wait_for_output("step.said", "alone")
    stack.delete()


def server_id(heat: Heat, stack: Stack) -> str:
    return str(heat.api.resources.get(stack.id, "server").physical_resource_id)


def test_without_yes_it_only_lists(begin: Begin, lab: Lab) -> None:
    stack, _ = create(begin, one("AUTO", server_transport="AUTO"))
    listing = begin_to_turn(lab, stack)
    said, _ = listing.communicate(timeout=60)
    assert listing.returncode == 1, said
    lines = {line.strip() for line in said.splitlines()}
    assert {
        "resources.server: software_config_transport: AUTO",
        "resources.step_deployment: signal_transport: AUTO",
        "outputs.transport: attribute signal_transport of step_deployment",
        "step_deployment: uses ZAQAR_MESSAGE",
        "server: uses ZAQAR_SIGNED",
        "-> --yes turns it",
    } <= lines
    assert stack.state == "CREATE_COMPLETE"


def test_a_stack_on_auto_is_turned(begin: Begin, lab: Lab) -> None:
    stack, server = create(begin, one("AUTO", server_transport="AUTO"))
    turn(lab, stack, server)
    update_and_delete_with_heat_alone(lab, stack, server)


def test_a_stack_that_names_the_plugins_types_is_turned_in_place(
    begin: Begin, lab: Lab, heat: Heat
) -> None:
    template = one("AUTO", server_transport="AUTO")
    for each in template["resources"].values():
        each["type"] = each["type"].replace(
            "OS::Heat::DeployedServer", "HeatConfig::DeployedServer"
        )
        each["type"] = each["type"].replace("OS::Heat::SoftwareDep", "HeatConfig::SoftwareDep")
    stack, server = create(begin, template)
    before = server_id(heat, stack)
    turn(lab, stack, server)
    assert server_id(heat, stack) == before
    update_and_delete_with_heat_alone(lab, stack, server)


def test_groups_and_the_templates_of_nested_stacks_are_turned(
    begin: Begin, lab: Lab, heat: Heat
) -> None:
    template = as_group(one("AUTO", server_transport="AUTO"))
    template["resources"]["inner"] = {"type": "inner.yaml"}
    inner = yaml.safe_dump(one("AUTO", server_transport="AUTO"))
    stack, server = begin(template, files={"inner.yaml": inner})
    servers = [server, Server(heat, nested(heat, stack))]
    for each in servers:
        deployment = each.new()
        each.answer(deployment)
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    turning = begin_to_turn(lab, stack, "--yes", "--minutes", "3")
    for each in servers:
        deployment = each.new()
        answering.post_as_user(deployment, answering.result(deployment.config_id))
    said, _ = turning.communicate(timeout=200)
    assert (turning.returncode, "-> turned" in said) == (0, True), said
    assert "inner.yaml: resources.step_deployment: signal_transport: AUTO" in said
    lab.load_plugin(False)
    stack.delete()


def test_a_template_that_is_not_in_hot_is_named(begin: Begin, lab: Lab) -> None:
    stack, server = begin(as_cfn(one("AUTO", server_transport="AUTO")))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    listing = begin_to_turn(lab, stack)
    said, _ = listing.communicate(timeout=60)
    assert listing.returncode == 1, said
    assert "step_deployment: uses ZAQAR_MESSAGE" in said
    assert "-> cannot be turned: no template of it is in HOT" in said
