# SPDX-License-Identifier: Apache-2.0
"""What an operator does by hand, force a run or deliver a result, and what Heat makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from lab import Lab
from lab.stack import Heat, Stack, wait_for
from lab.wire import Wire, answer
from tests.support.server import HostServer
from tests.support.template import template
from tests.support.wires import address

# Says its input; while there is a file for that, it kills the agent and its hook.
SCRIPT = """#!/bin/sh
echo $who
[ -e {cut} ] || exit 0
read -r _ _ _ agent _ < /proc/$PPID/stat
kill -9 $agent $PPID
"""
RESULT = {"deploy_stdout": "by hand\n", "deploy_stderr": "", "deploy_status_code": 0}
# More than are sent before a result is abandoned.
MANY = 100

Create = Callable[..., Stack]


@pytest.fixture
def server(tmp_path: Path) -> HostServer:
    """One that waits for milliseconds where others wait for seconds."""
    made = HostServer(tmp_path / "server")
    (made.root / "etc/heat-config.conf").write_text("HEAT_CONFIG_FIRST_WAIT=0.001\n")
    return made


def stack_template(server: HostServer, who: str) -> dict[str, Any]:
    script = SCRIPT.format(cut=server.root / "cut")
    wanted = {"config": script, "inputs": [{"name": "who"}], "values": {"who": who}}
    return template(
        server_transport="ZAQAR_MESSAGE",
        signal_transport="ZAQAR_SIGNAL",
        deployments={"step": wanted},
    )


class TestForce:
    """Heat has its answer already: another one would be taken for that of the next update."""

    @pytest.fixture
    def stack(self, create_stack: Create, server: HostServer) -> Stack:
        """One that is complete, as its server has answered."""
        stack = create_stack(stack_template(server, "first"))
        server.boot(stack.wait_for_server())
        assert stack.wait("CREATE", server.poll) == "COMPLETE", stack.reason
        return stack

    @pytest.fixture
    def config_id(self, stack: Stack, server: HostServer) -> str:  # noqa: ARG002 - it has run
        (path,) = server.deployed.glob("*.notify.json")
        return path.name.removesuffix(".notify.json")

    def test_the_next_update_gets_its_own_result(
        self, stack: Stack, server: HostServer, config_id: str
    ) -> None:
        forced = server.run("heat-config", "run", "--force", config_id)
        assert forced.returncode == 0
        only_heat_was_notified(forced)
        assert server.undelivered == []
        self.update(stack, server)

    def test_the_next_update_gets_its_own_result_after_a_run_that_was_cut_too(
        self, stack: Stack, server: HostServer, config_id: str
    ) -> None:
        cut = server.root / "cut"
        cut.touch()
        assert server.run("heat-config", "run", "--force", config_id).returncode == -9
        cut.unlink()
        reported = server.run("heat-config", "run")
        assert "its run was interrupted" in reported.stderr
        only_heat_was_notified(reported)
        assert server.undelivered == []
        self.update(stack, server)

    def update(self, stack: Stack, server: HostServer) -> None:
        stack.update(stack_template(server, "second"))
        assert stack.wait("UPDATE", server.poll) == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "second\n"


def only_heat_was_notified(ran: CompletedProcess[str]) -> None:
    (accepted,) = [line for line in ran.stderr.splitlines() if "was accepted by" in line]
    assert accepted.endswith("/signal")


class TestNotify:
    @pytest.fixture
    def stack(self, create_stack: Create, server: HostServer) -> Stack:
        return create_stack(stack_template(server, "nobody"))

    @pytest.fixture
    def keystone(self, lab: Lab) -> Iterator[Wire]:
        """What the deployment is answered through."""
        with Wire(address(lab.auth_url)) as wire:
            yield wire

    @pytest.fixture
    def item(self, heat: Heat, stack: Stack, keystone: Wire) -> dict[str, Any]:
        """The deployment, as its server is asked for it."""

        def asked() -> Any:
            return heat.api.resources.metadata(stack.id, "server").get("deployments")

        (found,) = wait_for("the deployment", asked)
        for each in found["inputs"]:
            if each["name"] == "deploy_auth_url":
                each["value"] = f"{keystone.url}/v3/"
        return dict(found)

    @pytest.fixture
    def config(self, server: HostServer, item: dict[str, Any]) -> Path:
        """Its file, which an operator has."""
        path = server.root / "config.json"
        path.write_text(json.dumps(item))
        return path

    def test_a_result_is_accepted(self, stack: Stack, server: HostServer, config: Path) -> None:
        assert notify(server, config) == 0
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "by hand\n"
        assert server.undelivered == []

    def test_a_result_is_kept_while_the_cloud_is_away(
        self, stack: Stack, server: HostServer, keystone: Wire, config: Path
    ) -> None:
        keystone.close_port()
        assert notify(server, config) == 1
        assert len(server.undelivered) == 1
        assert server.run("heat-config", "deliver").returncode == 1
        keystone.open_port()
        assert server.run("heat-config", "deliver").returncode == 0
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "by hand\n"

    def test_a_result_that_was_abandoned_is_sent_after_all(
        self, stack: Stack, server: HostServer, keystone: Wire, item: dict[str, Any]
    ) -> None:
        keystone.plan([answer(401)] * MANY)
        server.asks_for([item])
        server.run("heat-config", "run")
        assert "refused" in state(server, "abandoned", 1)
        keystone.plan([])
        config = server.deployed / f"{item['id']}.json"
        result = config.with_suffix(".notify.json").read_text()
        assert notify(server, config, result) == 0
        # Whether it has arrived before nobody knows: Heat is only notified.
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("step.deploy_stdout") == "nobody\n"
        state(server, "delivered", 0)
        assert server.undelivered == []


def notify(server: HostServer, config: Path, result: str = json.dumps(RESULT)) -> int:
    return server.run("heat-config-notify", config, input=result).returncode


def state(server: HostServer, signal: str, exit_status: int) -> str:
    """Why it is so; it is in this state."""
    shown = server.run("heat-config", "status", "--format", "json")
    (row,) = json.loads(shown.stdout)
    assert (row["signal"], shown.returncode) == (signal, exit_status)
    return str(row["problem"])
