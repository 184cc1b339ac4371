# SPDX-License-Identifier: Apache-2.0
"""A server that was off for longer than a message lives: what it may read from Heat, and does."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from lab import Lab
from lab.catalog import add_region
from lab.stack import Heat, Stack, wait_for
from lab.wire import Wire, answer
from tests.support.collecting import Collecting, said
from tests.support.template import template
from tests.support.wires import address

CreateStack = Callable[..., Stack]


def late(**deployments: str) -> dict[str, Any]:
    """A stack whose deployments nobody answers, so that they stay as they are."""
    return template(
        server_transport="ZAQAR_MESSAGE",
        signal_transport="NO_SIGNAL",
        deployments={
            name: {"config": f"#!/bin/sh\necho {text}"} for name, text in deployments.items()
        },
    )


@pytest.fixture
def stack(collecting: Collecting, create_stack: CreateStack) -> Stack:
    """A stack, whose server's metadata is on its queue."""
    made = create_stack(late(first="first"))
    collecting.values = made.wait_for_server()["zaqar"]
    collecting.queue = collecting.values["queue_id"]
    collecting.command = f"cp {collecting.root}/cache/zaqar.json {collecting.applied_file}"
    assert made.wait("CREATE") == "COMPLETE"
    return made


def names(collecting: Collecting) -> list[str]:
    """The deployments that were applied last, and that have come from the template."""
    if not collecting.applied_file.exists():
        return []
    found = json.loads(collecting.applied_file.read_text())["deployments"]
    return sorted(each["name"] for each in found)


def forget(collecting: Collecting, lab_user: User) -> None:
    """Let what is on the queue expire; there it cannot be waited for, so it is deleted."""
    url = f"{lab_user.endpoint('messaging')}/v2/queues/{collecting.queue}"
    headers = {"Client-ID": "11111111-1111-4111-8111-111111111111"}
    assert lab_user.request(url, "DELETE", headers=headers).ok


@pytest.fixture
def stack_user(collecting: Collecting, stack: Stack) -> User:  # noqa: ARG001 - it sets the values
    """The server's stack user."""
    return User(Credentials.from_section({"region_name": None, **collecting.values}), Trust())


def test_a_server_that_knows_its_id_gets_everything(
    collecting: Collecting, heat: Heat, stack: Stack, stack_user: User
) -> None:
    collecting.once()
    assert names(collecting) == ["first"]
    told = json.loads(collecting.applied_file.read_text())
    # Off for long, and its disk is new.
    forget(collecting, stack_user)
    collecting.applied_file.unlink()
    (collecting.root / "cache").rename(collecting.root / "lost")
    collecting.once()
    assert names(collecting) == []
    server = heat.api.resources.get(stack.id, "server").physical_resource_id
    collecting.values["server_id"] = server
    collecting.once()
    found = json.loads(collecting.applied_file.read_text())
    assert found["deployments"] == told["deployments"]
    assert found["os-collect-config"]["zaqar"]["queue_id"] == collecting.queue
    assert found["os-collect-config"]["collectors"] == ["zaqar"]


def test_a_server_that_was_off_for_long_gets_what_it_has_missed(
    collecting: Collecting, stack: Stack, stack_user: User
) -> None:
    collecting.once()
    assert names(collecting) == ["first"]
    stack.update(late(first="first", second="second"))
    assert stack.wait("UPDATE") == "COMPLETE"
    forget(collecting, stack_user)
    # It was off for so short a time that no message can have expired.
    collecting.once()
    assert names(collecting) == ["first"]
    collecting.values["cache_lifetime"] = 0
    time.sleep(0.01)
    collecting.once()
    assert names(collecting) == ["first", "second"]
    assert said(collecting, "took the deployments from Heat") == 1


def test_what_heat_has_posted_too_late_does_not_hide_what_it_has(
    collecting: Collecting, stack: Stack, stack_user: User
) -> None:
    stack.update(late(first="first", second="second"))
    assert stack.wait("UPDATE") == "COMPLETE"
    url = f"{stack_user.endpoint('messaging')}/v2/queues/{collecting.queue}/messages"
    headers = {"Client-ID": "11111111-1111-4111-8111-111111111111"}
    posted = stack_user.request(url, "GET", headers=headers).json()["messages"]
    bodies = [each["body"] for each in posted]
    assert [len(each["deployments"]) for each in bodies] == [0, 1, 2]
    # As it happens when two deployments begin together.
    again = {"messages": [{"body": bodies[1], "ttl": 3600}]}
    assert stack_user.request(url, "POST", headers=headers, json=again).ok
    collecting.once()
    assert names(collecting) == ["first", "second"]
    assert said(collecting, "took the deployments from Heat") == 1


def test_what_heat_lets_the_servers_user_read(heat: Heat, stack: Stack, stack_user: User) -> None:
    resource = heat.api.resources.get(stack.id, "server")
    name = heat.api.stacks.get(stack.id).stack_name
    base = stack_user.endpoint("orchestration")

    def status(path: str) -> int:
        found: requests.Response = stack_user.request(f"{base}{path}", "GET")
        return found.status_code

    metadata = f"/software_deployments/metadata/{resource.physical_resource_id}"
    assert status(metadata) == 200
    assert status(f"/stacks/{name}/{stack.id}/resources/server/metadata") == 200
    # Nothing by which a server could find out who it is.
    assert status("/stacks") == 403
    assert status(f"/stacks/{name}/{stack.id}") == 403
    assert status(f"/stacks/{name}/{stack.id}/resources") == 403
    assert status("/software_deployments") == 403
    assert status(f"/software_deployments?server_id={resource.physical_resource_id}") == 403


def test_heat_that_is_away_is_told_once_and_so_is_its_end(
    lab: Lab, collecting: Collecting, running: Callable[..., subprocess.Popen[str]]
) -> None:
    with Wire(address(lab.endpoints["orchestration"])) as heat:
        endpoints = {
            "zaqar": lab.endpoints["messaging"],
            "heat": f"{heat.url}/v1/%(project_id)s",
        }
        add_region(lab, "heat-wire", endpoints)
        collecting.values |= {"region_name": "heat-wire", "server_id": str(uuid.uuid4())}
        collecting.tune("from heat_config.collect import source; source.ASK_HEAT_EVERY = 0.1")
        heat.plan([answer(503)] * 5)
        running()
        wait_for("questions", lambda: len(heat.history) >= 7)
        wait_for("the end", lambda: said(collecting, "Heat answers again"))
    assert said(collecting, "answered 503") == 1
    assert said(collecting, "Heat answers again") == 1
    assert "Traceback" not in collecting.log.read_text()
