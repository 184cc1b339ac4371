# SPDX-License-Identifier: Apache-2.0
"""This project's agent on a server with AUTO: no user, and no loss with the queue's storage."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from heatclient import exc

from heat_config.cloud import packed, signed
from heat_config.collect.loop import NOT_ASKED
from lab import Lab
from lab.stack import Stack, wait_for
from tests.support import answering
from tests.support.agent import Agent
from tests.support.answering import Begin
from tests.support.collecting import Collecting, body, has_applied, said
from tests.support.deployments import inputs, script
from tests.support.forgetting import forget_everything
from tests.support.plugin import configured, one
from tests.support.server import HostServer
from tests.support.signing import Signing, wait_until_ended
from tests.support.stack_domain import users

Running = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def agent(server: HostServer) -> Agent:
    return Agent(server)


@pytest.fixture
def impatient(lab: Lab) -> Iterator[None]:
    """Heat posts the metadata of an unanswered deployment again after seconds, not minutes."""
    with configured(lab, metadata_again_after=3):
        yield


def given_to_server(stack: Stack) -> dict[str, Any]:
    """The server's configuration, as soon as there is any: its address is in it."""
    found: dict[str, Any] = stack.wait_for_server()
    assert found["zaqar"]["signed_address"]
    return found


def secrets_in(folder: Path) -> list[Path]:
    """The files that a server has written in which there is a word of a user's."""
    own = ("etc", "cache", "cache-backup", "var", "cfn-init-data", "log")
    words = (b"password", b"user_id", b"auth_url", b"username")
    files = [path for name in own for path in [folder / name, *(folder / name).rglob("*")]]
    return [
        path
        for path in files
        if path.is_file() and any(word in path.read_bytes() for word in words)
    ]


def test_from_create_to_delete_without_a_user(begin: Begin, lab: Lab, agent: Agent) -> None:
    before = users(lab)
    stack, _ = begin(one(server_transport="AUTO"))
    agent.server.boot(given_to_server(stack))
    assert agent.wait(stack, "CREATE") == "COMPLETE", stack.reason
    assert stack.output("step.deploy_stdout") == "first\n"
    agent.wait_until_acknowledged()
    assert agent.status()[0] == 0

    stack.update(one(server_transport="AUTO", value="second"))
    assert agent.wait(stack, "UPDATE") == "COMPLETE", stack.reason
    assert stack.output("step.deploy_stdout") == "second\n"
    agent.wait_until_acknowledged()
    assert users(lab) == before
    assert secrets_in(agent.server.root) == []

    stack.begin_to_delete()
    wait_for("the deletion", partial(is_gone, stack, agent))
    assert agent.server.undelivered == []
    log = agent.log
    assert log.count("Heat has acknowledged a result of ") == 2
    assert "Traceback" not in log
    assert not [secret for secret in secrets_of(agent.server) if secret in log]


def secrets_of(server: HostServer) -> set[str]:
    """The queues that the server was given to answer on, and the signatures that open them."""
    items = [json.loads(path.read_text()) for path in server.deployed.glob("*.json")]
    given = [each for item in items for each in item.get("inputs", [])]
    texts = [each["value"] for each in given if each["name"] == "deploy_signal_id"]
    addresses = [signed.parse(text) for text in texts]
    assert len(addresses) == 2
    return {secret for each in addresses for secret in (each.queue, each.signature)}


def is_gone(stack: Stack, agent: Agent) -> bool:
    agent.turn()
    try:
        return stack.state == "DELETE_COMPLETE"
    except exc.HTTPNotFound:
        return True


def test_a_storage_that_forgets_the_result_before_heat_has_read_it(
    begin: Begin, lab: Lab, agent: Agent
) -> None:
    stack, server = begin(one(server_transport="AUTO"))
    deployment = server.new()
    agent.server.boot(given_to_server(stack))
    with lab.frozen("heat"):
        agent.server.poll()
        assert [each["deploy_stdout"] for each in answering.bodies(deployment.address)] == [
            "first\n"
        ]
        forget_everything(lab)
    status, (row,) = agent.status()
    assert (status, row["state"], row["signal"]) == (2, "done", "unconfirmed")
    assert row["problem"] == "posted, and Heat has not acknowledged it yet"
    assert agent.wait(stack, "CREATE") == "COMPLETE", stack.reason
    assert stack.output("step.deploy_stdout") == "first\n"
    agent.wait_until_acknowledged()
    assert agent.status()[0] == 0
    assert "was lost by the queue before Heat acknowledged it" in agent.log


@pytest.mark.usefixtures("impatient")
def test_a_storage_that_forgets_the_metadata_before_the_server_has_read_them(
    begin: Begin, lab: Lab, agent: Agent
) -> None:
    stack, server = begin(one(server_transport="AUTO"))
    deployment = server.new()
    section = given_to_server(stack)
    address = signed.parse(section["zaqar"]["signed_address"])

    def is_posted() -> bool:
        return any(deployment.config_id in json.dumps(each) for each in answering.bodies(address))

    wait_for("the metadata", is_posted)
    with lab.frozen("heat"):
        forget_everything(lab)
        agent.server.boot(section)
        agent.server.poll()
        assert list(agent.server.deployed.iterdir()) == []
    assert agent.wait(stack, "CREATE") == "COMPLETE", stack.reason
    agent.wait_until_acknowledged()


def with_comment(comment: str, value: str = "first") -> dict[str, Any]:
    """A config that is as large as its comment; what it does is the same."""
    made = one(server_transport="AUTO", value=value)
    made["resources"]["step_config"]["properties"]["config"] += f"\n# {comment}\n"
    return made


class TestMetadataThatAreTooLargeForAMessage:
    def test_are_compressed_and_run(self, begin: Begin, agent: Agent) -> None:
        lines = "the same line again and again " * 10_000
        stack, _ = begin(with_comment(lines))
        agent.server.boot(given_to_server(stack))
        assert agent.wait(stack, "CREATE") == "COMPLETE", stack.reason
        stack.update(with_comment(lines, value="second"))
        assert agent.wait(stack, "UPDATE") == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "second\n"
        agent.wait_until_acknowledged()

    def test_fail_at_once_where_that_does_not_help(self, begin: Begin) -> None:
        stack, _ = begin(with_comment(secrets.token_hex(150_000) + secrets.token_hex(90_000)))
        assert stack.wait("CREATE") == "FAILED"
        assert re.search(
            r"the server's metadata have 48\d{4} bytes, \d{6} compressed: .* Max size 262144",
            stack.reason,
        )

    def test_fail_at_once_for_a_server_that_may_not_know_it(self, begin: Begin) -> None:
        made = with_comment("the same line again and again " * 10_000)
        made["resources"]["server"]["properties"]["software_config_transport"] = "ZAQAR_MESSAGE"
        stack, _ = begin(made)
        assert stack.wait("CREATE") == "FAILED"
        assert re.search(
            "Max size 262144.* with software_config_transport ZAQAR_SIGNED only", stack.reason
        )


class TestAnAddressThatHasEnded:
    def test_of_a_result_is_a_state_with_a_reason_and_an_end(self, lab: Lab, agent: Agent) -> None:
        address = signed.written(Signing(lab).ended("GET", "POST"))
        agent.server.asks_for([script("echo hello", inputs=inputs(deploy_signal_id=address))])
        agent.server.run(agent.server.root / "bin/heat-config-run", check=True)
        status, (row,) = agent.status()
        assert (status, row["state"], row["signal"]) == (2, "done", "pending")
        assert "the signed address opens nothing there: its time has passed" in row["problem"]
        agent.hurry()

        def is_over() -> bool:
            agent.deliver()
            return agent.server.undelivered == []

        wait_for("its end", is_over)
        status, (row,) = agent.status()
        assert (status, row["signal"]) == (1, "abandoned")
        assert row["problem"].startswith("refused 6 times, the last time so: Zaqar at http://")

    def test_of_metadata_is_said_once_and_the_disk_holds(
        self, lab: Lab, collecting: Collecting
    ) -> None:
        collecting.values = {"signed_address": signed.written(Signing(lab).ended("GET", "DELETE"))}
        for _ in range(2):
            collecting.once()
            assert collecting.status == NOT_ASKED
        # Each is a process of its own.
        assert said(collecting, "the signed address opens nothing there") == 2
        assert "Traceback" not in collecting.log.read_text()

    def test_is_renewed_by_the_metadata_before_that(self, lab: Lab, agent: Agent) -> None:
        signing = Signing(lab)
        old = signing.address("GET", "DELETE", seconds=10)
        new = signing.address("GET", "DELETE")
        agent.server.boot(section_of(old))
        signing.queue.post({"os-collect-config": section_of(new), "deployments": []}, 300)
        agent.server.poll()
        wait_until_ended(old)
        item = script("echo hello")
        signing.queue.post({"os-collect-config": section_of(new), "deployments": [item]}, 300)
        agent.server.poll()
        assert (agent.server.deployed / f"{item['id']}.notify.json").exists()
        assert answering.bodies(new) == []


def section_of(address: signed.Address) -> dict[str, Any]:
    """The section os-collect-config as the plug-in makes it."""
    zaqar = {"queue_id": address.queue, "signed_address": signed.written(address)}
    return {"collectors": ["zaqar", "local"], "zaqar": zaqar}


def test_a_signed_server_looks_twice_a_second_after_a_change_and_has_no_websocket(
    lab: Lab, collecting: Collecting, running: Running
) -> None:
    signing = Signing(lab)
    address = signing.address("GET", "DELETE")
    collecting.values = {"signed_address": signed.written(address), "use_websockets": True}
    signing.queue.post(body(1), 300)
    running(min_polling_interval=1, polling_interval=30)
    wait_for("the first", partial(has_applied, collecting, 1))
    for number in (2, 3):
        signing.queue.post(packed.packed(body(number)), 300)
        wait_for("the change", partial(has_applied, collecting, number), patience=10)
    assert collecting.applied() == [1, 2, 3]
    wait_for("an empty queue", lambda: answering.bodies(address) == [])
    assert said(collecting, "a signed address cannot subscribe") == 1
    assert signing.name not in collecting.log.read_text()
