# SPDX-License-Identifier: Apache-2.0
"""A server's metadata over a queue with a signed address, on a real Keystone, Zaqar and Heat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heat_config.cloud import signed
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support import answering
from tests.support.answering import Begin
from tests.support.plugin import configured, one
from tests.support.stack_domain import users

SIGNED = "ZAQAR_SIGNED"


def address_of(stack: Stack) -> signed.Address:
    """The address that the server is given, as its configuration has it."""
    return signed.parse(stack.wait_for_server()["zaqar"]["signed_address"])


def posted(address: signed.Address) -> list[list[str]]:
    """The ids of the configs in each of the metadata on the queue."""
    return [[each["id"] for each in body["deployments"]] for body in answering.bodies(address)]


@pytest.mark.parametrize("transport", [SIGNED, "AUTO"])
def test_the_engine_posts_each_change(begin: Begin, transport: str) -> None:
    template = one(server_transport=transport)
    template["outputs"]["used"] = {"value": {"get_attr": ["server", "software_config_transport"]}}
    stack, server = begin(template)
    deployment = server.new()
    address = address_of(stack)
    assert posted(address) == [[], [deployment.config_id]]
    server.answer(deployment)
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    assert stack.output("used") == SIGNED
    # What was read can be removed, and nothing else can be done.
    ids = [
        each["id"] for each in answering.ask(address, "GET", query="?echo=true").body["messages"]
    ]
    assert answering.ask(address, "DELETE", query=f"?ids={','.join(ids)}").status == 204
    assert answering.ask(address, "POST", body={"messages": []}).status == 404
    assert posted(address) == []
    stack.delete()


def test_nobody_is_made_in_keystone(begin: Begin, lab: Lab, heat: Heat) -> None:
    before = users(lab)
    stack, server = begin(one(server_transport=SIGNED))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    assert users(lab) == before
    section = stack.wait_for_server()
    assert section["collectors"] == ["zaqar", "local"]
    assert set(section["zaqar"]) == {"queue_id", "signed_address"}
    resource = heat.api.resources.get(stack.id, "server")
    assert "password" not in json.dumps(resource.to_dict())


def test_a_server_without_a_user_is_suspended_and_resumed(begin: Begin) -> None:
    stack, server = begin(one(server_transport=SIGNED))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    stack.suspend()
    assert stack.wait("SUSPEND") == "COMPLETE", stack.reason
    stack.resume()
    assert stack.wait("RESUME") == "COMPLETE", stack.reason


def test_a_live_server_is_told_on_its_old_queue(begin: Begin) -> None:
    stack, server = begin(one(server_transport=SIGNED))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    old = address_of(stack)
    stack.update(one(server_transport="POLL_SERVER_HEAT"))
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason
    newest: dict[str, Any] = answering.bodies(old)[-1]["os-collect-config"]
    assert newest["collectors"] == ["heat", "local"]
    assert newest["heat"]["password"]
    assert set(newest["zaqar"].values()) == {None}

    stack.update(one(server_transport=SIGNED))
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason
    new = address_of(stack)
    assert new.queue != old.queue
    assert answering.bodies(new)[-1]["os-collect-config"]["zaqar"]["queue_id"] == new.queue


def test_an_update_renews_an_address_of_which_half_of_the_life_is_over(
    begin: Begin, lab: Lab
) -> None:
    stack, server = begin(one(server_transport=SIGNED))
    server.answer(server.new())
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    addresses = [address_of(stack)]
    with configured(lab, server_address_life=2 * 3650 * 86_400 + 3600):
        for value in ("second", "third"):
            # Nothing of the server is changed by it.
            stack.update(one(server_transport=SIGNED, value=value))
            server.answer(server.new())
            assert stack.wait("UPDATE") == "COMPLETE", stack.reason
            addresses.append(address_of(stack))
    old, new, same = addresses
    assert (new.queue, new == old, new == same) == (old.queue, False, True)
    newest = answering.bodies(old)[-1]["os-collect-config"]
    assert newest["zaqar"]["signed_address"] == signed.written(new)
    assert newest["collectors"] == ["zaqar", "local"]


def test_with_convergence_off(begin: Begin, lab: Lab) -> None:
    with configured(lab, "DEFAULT", convergence_engine="false"):
        stack, server = begin(one(server_transport="AUTO"))
        server.answer(server.new(), said="first")
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        stack.update(one(server_transport="AUTO", value="second"))
        updated = server.new()
        server.answer(updated, said="second")
        assert stack.wait("UPDATE") == "COMPLETE", stack.reason
        assert stack.output("step.said") == "second"
        assert answering.is_acknowledged(updated)
        stack.delete()


def test_zaqar_away_when_a_server_is_made(begin: Begin, lab: Lab) -> None:
    lab.stop("zaqar")
    try:
        stack, server = begin(one(server_transport="AUTO"))
    finally:
        lab.start("zaqar")
    deployment = server.new()
    wait_for("the metadata", lambda: [deployment.config_id] in posted(address_of(stack)))
    server.answer(deployment)
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
