# SPDX-License-Identifier: Apache-2.0
"""A server that heat-agents has run, with our image: nothing runs twice, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.image import build_tar, unpack
from lab.server import File, Server
from tests.support.deployments import component, script
from tests.support.former import DATA, FormerServer

COUNT = 'echo {} >> "${{COUNTED:-/var/lib/counted}}"\n{}'


def counted(name: str, more: str = "") -> dict[str, Any]:
    return script(f"#!/bin/sh\n{COUNT.format(name, more)}", config_id=name)


OLD = [counted("good"), counted("bad", "exit 3"), component(counted("part"))]
NEW = [*OLD, counted("new")]
ASKED = {"os-collect-config": {"collectors": ["heat_local"], "polling_interval": 30}}
# An operator's drop-in for the unit of tripleo-image-elements.
THEIR_START = File(
    "/etc/systemd/system/os-collect-config.service.d/start.conf",
    "[Service]\nExecStart=\nExecStart=/usr/local/bin/os-collect-config\n",
)
DEPLOYED = "/var/lib/heat-config/deployed"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> list[File]:
    """What is there when it has run the old ones, and was asked for them again."""
    former = FormerServer(tmp_path_factory.mktemp("former"))
    former.run({**ASKED, "deployments": OLD})
    again = former.run({**ASKED, "deployments": OLD, "more": "to be told"})
    assert again.count("already deployed") == len(OLD)
    return former.left()


@pytest.fixture(scope="module")
def server(left: list[File]) -> Iterator[Server]:
    new = File(DATA, json.dumps({**ASKED, "deployments": NEW}))
    files = [*(file for file in left if file.path != DATA), new, THEIR_START]
    with Server(unpack(build_tar()), files=files) as booted:
        booted.wait_for(lambda it: it.read(f"{DEPLOYED}/new.notify.json"), what="the new result")
        yield booted


def test_what_it_has_run_is_not_run_again_and_what_is_new_is(server: Server) -> None:
    assert server.read("/var/lib/counted") == "new\n"


def test_its_results_are_shown_as_they_were(server: Server) -> None:
    shown = json.loads(server.run(["heat-config", "status", "--format=json"], check=False).stdout)
    assert {each["id"]: each["status_code"] for each in shown} == {
        "good": 0,
        "bad": 3,
        "part": 0,
        "new": 0,
    }


def test_nothing_that_it_has_left_is_lost(server: Server, left: list[File]) -> None:
    kept = [file for file in left if file.path.startswith(f"{DEPLOYED}/")]
    assert len(kept) == 2 * len(OLD)
    changed = [file.path for file in kept if server.read(file.path) != file.text]
    assert changed == []


def test_its_hook_gives_way_and_its_configuration_is_gone_on_with(server: Server) -> None:
    log = server.read("/var/log/heat-config/new.log")
    assert "ended with exit status 0" in log
    assert "[DEBUG] Running" not in log
    assert "collectors = heat_local" in server.read("/etc/os-collect-config.conf")
    assert server.run(["systemctl", "is-active", "os-collect-config"]).stdout == "active\n"


def test_a_drop_in_with_their_start_has_the_service_tell_that_it_is_up(server: Server) -> None:
    server.run(["systemctl", "daemon-reload"])
    server.run(["systemctl", "restart", "os-collect-config"])  # it waits for that
    program = server.run(["systemctl", "show", "-P", "ExecStart", "os-collect-config"]).stdout
    assert "path=/usr/local/bin/os-collect-config" in program
    assert server.run(["systemctl", "is-active", "os-collect-config"]).stdout == "active\n"
