# SPDX-License-Identifier: Apache-2.0
"""An engine that is killed between reading a result and removing it, at each step.

Five deployments of one server have answered, and the engine has come to another step with each
when it is killed: a wire keeps Zaqar's part of a step from it, a lock the database's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from heat_config.cloud import packed, signed
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from lab.wire import STALL, STALL_ANSWER, Action, Wire
from tests.support import answering
from tests.support.agent import Agent
from tests.support.answering import Inputs, Server
from tests.support.locked import deployment_locked
from tests.support.server import HostServer
from tests.support.template import template
from tests.support.wires import wire_of_engine


class Step(NamedTuple):
    """Where the engine is stopped, and what there is then."""

    heat: str
    """The deployment's status in Heat."""
    queue: tuple[str, ...]
    """What is on its queue."""
    method: str = ""
    """The request that the engine is kept in."""
    action: Action = STALL


STEPS = {
    "listed": Step("IN_PROGRESS", ("result",), "GET", STALL_ANSWER),
    "signalling": Step("IN_PROGRESS", ("result",)),
    "signalled": Step("COMPLETE", ("result",), "POST"),
    "acknowledged": Step("COMPLETE", ("result", "acknowledgement"), "POST", STALL_ANSWER),
    "removing": Step("COMPLETE", ("result", "acknowledgement"), "DELETE"),
    "removed": Step("COMPLETE", ("acknowledgement",), "DELETE", STALL_ANSWER),
}


def wanted(value: str) -> dict[str, Any]:
    """A deployment for each step."""
    config = {"config": "#!/bin/sh\necho $who", "values": {"who": value}}
    return template(
        server_transport="AUTO", signal_transport="AUTO", deployments=dict.fromkeys(STEPS, config)
    )


class Killed(NamedTuple):
    """What there was when the engine had been killed, by step, and how it went on."""

    heat: dict[str, str]
    queues: dict[str, tuple[str, ...]]
    stack: Stack
    agent: Agent
    ended: str


@pytest.fixture(scope="module")
def killed(lab: Lab, heat: Heat, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Kill the engine, start it again, and go on as Heat alone can: with an update."""
    server = HostServer(tmp_path_factory.mktemp("killed") / "server")
    with wire_of_engine(lab, "zaqar") as wire:
        stack = heat.create(f"killed-{answering.unique()}", wanted("first"))
        deployments = told_of_all(heat, stack)
        server.boot(stack.wait_for_server())
        stop_and_kill(lab, wire, server, deployments)
    lab.start("heat")
    # Longer than it waits in one go: it posts all results, and looks for Heat's word after that.
    agent = Agent(server, first_wait=0.1)
    statuses = {each.config_id: each.status for each in heat.api.software_deployments.list()}
    at_kill = {name: statuses[each.config_id] for name, each in deployments.items()}
    queues = {name: kinds_on(each) for name, each in deployments.items()}
    stack.update(wanted("second"))
    ended = agent.wait(stack, "UPDATE")
    yield Killed(at_kill, queues, stack, agent, ended)
    stack.begin_to_delete()


def told_of_all(heat: Heat, stack: Stack) -> dict[str, Inputs]:
    """The deployments by step, once the newest metadata on the server's queue have them all."""
    server = Server(heat, stack)
    queue = signed.parse(stack.wait_for_server()["zaqar"]["signed_address"])

    def is_told() -> bool:
        newest = json.dumps(packed.unpacked((answering.bodies(queue) or [{}])[-1]))
        found = server.deployments()
        return len(found) == len(STEPS) and all(each.config_id in newest for each in found)

    wait_for("the metadata", is_told)
    return {each.name: each for each in server.deployments()}


def stop_and_kill(lab: Lab, wire: Wire, server: HostServer, deployments: dict[str, Inputs]) -> None:
    """Let the server answer all, the engine come as far as it can with each, and kill it."""
    stops = {
        (STEPS[name].method, each.address.queue): STEPS[name].action
        for name, each in deployments.items()
        if STEPS[name].method
    }

    def rule(method: str, path: str) -> Action | None:
        return stops.get((method, path.split("/")[3]))

    with deployment_locked(lab, deployments["signalling"].config_id) as wait_until_wanted:
        with lab.frozen("heat"):
            server.poll()
            wire.obey(rule)
        wait_until_wanted()
        wait_for("each step", lambda: stops.keys() <= stalled(wire))
        lab.kill("heat")


def stalled(wire: Wire) -> set[tuple[str, str]]:
    """Of which method, and on which queue, a request got no answer."""
    return {
        (each.method, each.path.split("/")[3]) for each in wire.history if each.answered is None
    }


def kinds_on(deployment: Inputs) -> tuple[str, ...]:
    """What is on its queue, the oldest first."""
    is_word = [signed.is_acknowledgement(each) for each in answering.bodies(deployment.address)]
    return tuple("acknowledgement" if each else "result" for each in is_word)


@pytest.mark.parametrize("step", STEPS)
def test_it_was_at_this_step(killed: Killed, step: str) -> None:
    assert (killed.heat[step], killed.queues[step]) == (STEPS[step].heat, STEPS[step].queue)


@pytest.mark.parametrize("step", STEPS)
def test_the_stack_completes_with_one_answer(killed: Killed, step: str) -> None:
    assert killed.ended == "COMPLETE", killed.stack.reason
    assert killed.stack.output(f"{step}.deploy_stdout") == "second\n"


def test_the_server_has_run_each_once_and_has_nothing_left_to_deliver(killed: Killed) -> None:
    agent = killed.agent

    def is_settled() -> bool:
        # Heat's word on the new ones; and new metadata, without those that nobody waits for.
        agent.turn()
        return agent.server.undelivered == []

    wait_for("an empty outbox", is_settled)
    assert not (agent.server.root / "var/lib/heat-config/outbox/abandoned").exists()
    results = list(agent.server.deployed.glob("*.notify.json"))
    assert len(results) == 2 * len(STEPS)
    assert "Traceback" not in agent.log
