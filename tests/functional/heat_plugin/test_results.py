# SPDX-License-Identifier: Apache-2.0
"""Results on their way to Heat with the plug-in, on a real Keystone, Zaqar and Heat."""

from __future__ import annotations

import pytest
from heatclient import exc

from heat_config.cloud import signed
from lab.stack import Heat, wait_for
from tests.support import answering
from tests.support.answering import Begin, is_acknowledged, post_as_user, queue_of
from tests.support.plugin import one
from tests.support.server import HostServer

USERS = ("deploy_password", "deploy_user_id", "deploy_username", "deploy_auth_url")


class TestSigned:
    def test_one_deployment_from_create_to_delete(self, begin: Begin) -> None:
        stack, server = begin(one("AUTO"))
        created = server.new()
        server.answer(created, said="hello")
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "hello"
        assert stack.output("transport") == "ZAQAR_MESSAGE"
        assert is_acknowledged(created)

        stack.update(one("AUTO", value="second"))
        updated = server.new()
        server.answer(updated, said="again")
        assert stack.wait("UPDATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "again"
        assert is_acknowledged(updated)
        # The word on the action before can still be read, and its queue is another one.
        assert is_acknowledged(created)
        assert created.address.queue != updated.address.queue

        stack.delete()
        assert answering.bodies(created.address) == answering.bodies(updated.address) == []

    def test_the_server_gets_no_user(self, begin: Begin) -> None:
        stack, server = begin(one("ZAQAR_MESSAGE"))
        deployment = server.new()
        assert not [name for name in USERS if name in deployment.values]
        assert deployment.values["deploy_signal_transport"] == "ZAQAR_MESSAGE"
        assert deployment.values["deploy_signal_verb"] == "POST"
        # The stack's own timeout is five minutes.
        left = deployment.address.seconds_left(answering.now())
        assert left == pytest.approx(300 + 3600 + 86_400, abs=60)
        server.answer(deployment)
        assert stack.wait("CREATE") == "COMPLETE", stack.reason

    def test_a_failure_fails_the_stack_and_is_acknowledged(self, begin: Begin) -> None:
        stack, server = begin(one())
        deployment = server.new()
        server.answer(deployment, deploy_status_code=7, deploy_stderr="it broke")
        assert stack.wait("CREATE") == "FAILED"
        assert "non-zero status code: 7" in stack.reason
        assert is_acknowledged(deployment)

    @pytest.mark.parametrize("config_id", ["", "another"])
    def test_only_this_configs_result_is_taken(self, begin: Begin, config_id: str) -> None:
        stack, server = begin(one())
        deployment = server.new()
        answering.post(deployment.address, answering.result(config_id, said="wrong"))
        server.answer(deployment, said="right")
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "right"
        assert is_acknowledged(deployment)

    def test_a_second_copy_does_no_harm(self, begin: Begin) -> None:
        stack, server = begin(one())
        deployment = server.new()
        server.answer(deployment, said="once")
        server.answer(deployment, said="twice")
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        server.answer(deployment, said="late")
        stack.update(one(value="second"))
        server.answer(server.new(), said="new")
        assert stack.wait("UPDATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "new"

    def test_a_result_that_came_another_way_is_acknowledged_too(
        self, begin: Begin, heat: Heat
    ) -> None:
        stack, server = begin(one())
        deployment = server.new()
        heat.api.resources.signal(stack.id, "step_deployment", data={"said": "by Heat's API"})
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert is_acknowledged(deployment)


class TestWithUsers:
    """Heat's own ZAQAR_SIGNAL, for agents as they are."""

    def test_a_result_without_a_name_is_taken(self, begin: Begin) -> None:
        stack, server = begin(one("ZAQAR_SIGNAL"))
        deployment = server.new()
        assert [name for name in USERS if not deployment.values[name]] == []
        post_as_user(deployment, answering.result("", said="of an agent as it is"))
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "of an agent as it is"
        assert stack.output("transport") == "ZAQAR_SIGNAL"

    def test_one_with_anothers_name_is_not(self, begin: Begin) -> None:
        stack, server = begin(one("ZAQAR_SIGNAL"))
        deployment = server.new()
        post_as_user(deployment, answering.result("another", said="wrong"))
        post_as_user(deployment, answering.result(deployment.config_id, said="right"))
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "right"
        (left,) = queue_of(deployment).messages()
        assert signed.acknowledges(left.body, deployment.config_id)

    def test_this_projects_agent_as_it_is(self, begin: Begin, server: HostServer) -> None:
        stack, _ = begin(one("ZAQAR_SIGNAL"))
        server.boot(stack.wait_for_server())
        assert stack.wait("CREATE", server.poll) == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "first\n"
        stack.update(one("ZAQAR_SIGNAL", value="second"))
        assert stack.wait("UPDATE", server.poll) == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "second\n"


@pytest.mark.parametrize("transport", ["AUTO", "ZAQAR_SIGNAL"])
def test_long_names_with_dots(begin: Begin, transport: str) -> None:
    template = one(transport)
    name = f"{'a.long-name_' * 12}x"
    template["resources"][name] = template["resources"].pop("step_deployment")
    template["outputs"] = {"server": template["outputs"]["server"]}
    stack, server = begin(template, name=f"long.{answering.unique()}.{'s' * 80}")
    deployment = server.new()
    if transport == "AUTO":
        server.answer(deployment)
    else:
        post_as_user(deployment, answering.result(deployment.config_id))
    assert stack.wait("CREATE") == "COMPLETE", stack.reason


def test_a_change_of_transport_needs_no_replacement(begin: Begin, heat: Heat) -> None:
    stack, server = begin(one("HEAT_SIGNAL"))
    server.new()
    resource = heat.api.resources.get(stack.id, "step_deployment")
    heat.api.resources.signal(stack.id, "step_deployment", data={})
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    stack.update(one("AUTO"))
    server.answer(server.new(), said="signed")
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason
    assert stack.output("transport") == "ZAQAR_MESSAGE"
    stack.update(one("HEAT_SIGNAL"))
    server.new()
    heat.api.resources.signal(stack.id, "step_deployment", data={"said": "and back"})
    wait_for("the way back", lambda: stack.output("step.said") == "and back")
    same = heat.api.resources.get(stack.id, "step_deployment")
    assert same.physical_resource_id == resource.physical_resource_id


def test_each_action_has_its_own_queue(begin: Begin) -> None:
    actions = ["CREATE", "SUSPEND", "RESUME"]
    stack, server = begin(one(actions=actions))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    for action in ("SUSPEND", "RESUME"):
        {"SUSPEND": stack.suspend, "RESUME": stack.resume}[action]()
        deployment = server.new()
        assert deployment.values["deploy_action"] == action
        server.answer(deployment)
        assert stack.wait(action) == "COMPLETE", stack.reason
        assert is_acknowledged(deployment)


def test_a_group_takes_the_transport_that_it_names(begin: Begin) -> None:
    template = one()
    deployment = template["resources"]["step_deployment"]
    deployment["type"] = "OS::Heat::SoftwareDeploymentGroup"
    properties = deployment["properties"]
    properties["servers"] = {"only": properties.pop("server")}
    template["outputs"] = {"server": template["outputs"]["server"]}
    stack, server = begin(template)
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason


def test_a_transport_that_nobody_knows_is_refused(begin: Begin) -> None:
    with pytest.raises(exc.HTTPBadRequest, match="is not an allowed value"):
        begin(one("ZAQAR_MASSAGE"))
