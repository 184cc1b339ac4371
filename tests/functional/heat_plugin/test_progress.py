# SPDX-License-Identifier: Apache-2.0
"""A run is watched while it runs: the real agent, Heat with the plug-in, Zaqar, ``openstack``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heat_config.cloud import signed
from heat_config.cloud.trust import Trust
from heat_config.progress import message
from heat_operator import rows, story, words
from heat_operator.following import Followed, Following, OfStack, Pace
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support import answering
from tests.support.answering import Begin, Server
from tests.support.client import Client
from tests.support.plugin import configured
from tests.support.server import HostServer
from tests.support.stacks import Create
from tests.support.template import template

FOLLOW = ("software", "deployment", "follow")
SECRET = "a-secret-of-this-test"
LINES = 40
PRINTS = f"""#!/bin/sh
for i in $(seq {LINES}); do echo "line $i of $word"; sleep 0.05; done
until [ -e "$go_on" ]; do sleep 0.1; done
tr , '\\n' < "$HEAT_SHELL_CONFIG"
echo the last line >&2
exit 3
"""


@pytest.fixture
def client(lab: Lab, tmp_path: Path) -> Client:
    return Client(lab, tmp_path / "client")


def watched(go_on: Path, progress: bool | None = True) -> dict[str, Any]:
    """A stack with a deployment that prints what it should not, too."""
    prints = {
        "config": PRINTS,
        "inputs": [{"name": "word"}, {"name": "go_on"}],
        "options": {"secret_inputs": ["word"]},
        "values": {"word": SECRET, "go_on": str(go_on)},
    }
    made = template(
        server_transport="ZAQAR_SIGNED",
        signal_transport="AUTO",
        deployments={"prints": prints},
    )
    if progress is not None:
        made["resources"]["prints_deployment"]["properties"]["progress"] = progress
    return made


def in_progress(heat: Heat, stack: Stack) -> Any:
    """The stack's deployment, once it waits for its answer."""

    def look() -> Any:
        found = rows.deployments(heat.api, stack.id)[1]
        return found[0][1] if found and found[0][1].status == "IN_PROGRESS" else None

    return wait_for("a deployment", look)


def test_a_run_is_followed_line_by_line(
    heat: Heat, create_stack: Create, server: HostServer, client: Client, tmp_path: Path
) -> None:
    go_on = tmp_path / "go-on"
    stack = create_stack(watched(go_on))
    server.boot(stack.wait_for_server())
    asked = Server(heat, stack).new()
    address = signed.parse(asked.values["deploy_progress_id"])
    assert address.queue != asked.address.queue
    of = words.Words(heat.api, Trust()).of
    deployment = in_progress(heat, stack)
    with server.in_service():
        following = client.start(*FOLLOW, deployment.id)
        try:
            wait_for("its last line", lambda: f"line {LINES} " in posted(address))
            (row,) = rows.overview(heat.api, stack.id, of).rows
            assert row.state.startswith("running since 20")
        finally:
            go_on.touch()
        ended = following()
        assert stack.wait("CREATE") == "FAILED"
    lines = [line.partition(" | ")[2] for line in ended.out.splitlines() if " | " in line]
    assert [line for line in lines if line.startswith("line ")] == [
        f"line {number} of ***" for number in range(1, LINES + 1)
    ]
    assert "the last line" in lines
    assert f"{deployment.id} * ended with status code 3" in ended.out
    assert (ended.status, ended.err) == (3, "")
    everything = posted(address) + ended.out
    assert '"deploy_progress_id"' in ended.out
    for secret in (SECRET, address.signature, address.queue, asked.address.queue):
        assert secret not in everything


def test_who_wants_to_watch_later_makes_nothing_run_again(
    lab: Lab, begin: Begin, server: HostServer, tmp_path: Path
) -> None:
    """Only the next action, which there is for another reason, is watched. All in a group."""

    def well(progress: bool | None, said: str) -> dict[str, Any]:
        made = watched(tmp_path, progress)
        made["resources"]["prints_config"]["properties"]["config"] = f"#!/bin/sh\necho {said}"
        group = made["resources"]["prints_deployment"]
        group["type"] = "OS::Heat::SoftwareDeploymentGroup"
        group["properties"]["servers"] = {"one": group["properties"].pop("server")}
        return {**made, "outputs": {"server": made["outputs"]["server"]}}

    stack, of_heat = begin(well(None, "first"))
    server.boot(stack.wait_for_server())
    assert stack.wait("CREATE", server.poll) == "COMPLETE", stack.reason
    (first,) = of_heat.deployments()
    assert "deploy_progress_id" not in first.values
    for progress in (True, False):
        stack.update(well(progress, "first"))
        assert stack.wait("UPDATE") == "COMPLETE", stack.reason
        assert of_heat.deployments() == [first]
    with configured(lab, default_progress=True):
        stack.update(well(None, "second"))
        wait_for("the next", lambda: of_heat.deployments() != [first])
        (second,) = of_heat.deployments()
        address = signed.parse(second.values["deploy_progress_id"])
        assert stack.wait("UPDATE", server.poll) == "COMPLETE", stack.reason
    assert '"phase": "ended"' in posted(address)
    stack.delete()
    assert answering.bodies(address) == []


def test_a_server_that_was_killed_is_not_heard(
    heat: Heat,
    create_stack: Create,
    server: HostServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (message, story):
        monkeypatch.setattr(module, "SILENT_AFTER", 3.0)
    go_on = tmp_path / "go-on"
    stack = create_stack(watched(go_on))
    server.boot(stack.wait_for_server())
    deployment = in_progress(heat, stack)
    of = words.Words(heat.api, Trust()).of
    lines: list[str] = []

    def take(line: str) -> None:
        lines.append(line)
        if line.startswith("prints * nothing heard since"):
            go_on.touch()
            with server.in_service():
                stack.wait("CREATE")

    try:
        with server.in_service():
            wait_for("its first word", lambda: of(deployment))
        wait_for("silence", lambda: "nothing heard since 20" in str(of(deployment)))
        make = lambda _: Followed(heat.api, Trust(), lambda line: take(f"prints {line}"))  # noqa: E731
        status = Following(OfStack(heat.api, stack.id), make, take, Pace(0.5, 1.0, 5.0)).run()
    finally:
        go_on.touch()
    assert status == 1
    assert any("the run was interrupted" in line or "* failed" in line for line in lines)
    assert any("* ended with status code" in line for line in lines), lines


def posted(address: signed.Address) -> str:
    """All of a queue's messages as JSON."""
    return json.dumps(answering.bodies(address))
