# SPDX-License-Identifier: Apache-2.0
"""What holds for every hook, on its real tool: output of 5 MB, and no secret in a log.

That a missing tool and a bad config are named is in the unit tests; success, failure,
update and deletion through Heat are in each group's own, as is a pod's output, which
kubelet tells only of a container that it does not find running.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import yaml

from heat_config.hookkit import LARGEST_ANSWER
from tests.support.containers import IMAGE
from tests.support.deployments import inputs
from tests.support.hook_server import MakeServer

SECRET = "hunter22"
# Puppet takes minutes for a million short lines.
LINE = "línea " * 30
# A command of a shell: it says a secret, 5 MB of text that is not ASCII, and fails.
MUCH = f"echo {SECRET}; yes {LINE}| head -c 5000000; echo; echo the end >&2; exit 3"


class Case(NamedTuple):
    """A config that makes the group's tool run the command, and the status that comes of it."""

    config: Any
    status: int
    is_logged: bool = True
    """Whether all of the output goes through the log as it comes."""


def playbook() -> str:
    return yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [{"shell": MUCH}]}])


def manifest() -> str:
    how = "provider => shell, path => '/usr/bin:/bin', logoutput => true"
    return f"exec {{ 'much': command => '{MUCH}', {how} }}"


CASES = {
    "script": Case(f"#!/bin/sh\n{MUCH}\n", 3),
    "ansible": Case(playbook(), 2),
    "puppet": Case(manifest(), 4),
    "salt": Case({"much": {"cmd.run": [{"name": MUCH}]}}, 2),
    "docker-cmd": Case(
        {"much": {"image": IMAGE, "net": "none", "detach": False, "command": ["sh", "-c", MUCH]}}, 3
    ),
    "cfn-init": Case({"config": {"commands": {"much": {"command": MUCH}}}}, 1, is_logged=False),
}


@pytest.mark.parametrize("group", CASES)
def test_much_output_of_a_tool_that_fails(make_server: MakeServer, group: str) -> None:
    case, server = CASES[group], make_server(group)
    given = inputs(deploy_password=SECRET)
    answer, log = server.hook(case.config, inputs=given)
    said = answer["deploy_stdout"] + answer["deploy_stderr"]
    assert answer["deploy_status_code"] == case.status, said[-2000:]
    assert SECRET not in log
    assert "the end" in said
    if group == "ansible":
        assert '"msg": "non-zero return code"' in answer["deploy_stderr"].splitlines()[0]
    assert len(said.encode()) < LARGEST_ANSWER
    if case.is_logged:
        assert len(log) > 4_000_000


def test_a_large_recipe_of_chef(make_server: MakeServer) -> None:
    server = make_server("chef")
    recipe = server.state / "kitchen/cookbooks/greeting/recipes/default.rb"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(f"# {SECRET}\n" + "# línea\n" * 600_000)
    given = inputs(deploy_password=SECRET, greeting="a\nü")
    answer, log = server.hook(["recipe[greeting]"], inputs=given, outputs=[{"name": "greeted"}])
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert "bytes left out" in answer["deploy_stdout"]
    assert SECRET not in log
    assert len(log) > 4_000_000
    assert answer["greeted"] == "a\nü"


def test_large_env_file_of_compose(make_server: MakeServer) -> None:
    server = make_server("docker-compose")
    lines = "# línea\n" * 600_000
    files = [{"file_name": "a.env", "content": f"{lines}PASSWORD={SECRET}\n"}]
    service = {"image": IMAGE, "network_mode": "none", "env_file": "a.env", "command": "sleep 600"}
    given = inputs(deploy_password=SECRET, env_files=files)
    answer, log = server.hook({"services": {"web": service}}, inputs=given)
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert SECRET not in log
