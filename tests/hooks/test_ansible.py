# SPDX-License-Identifier: Apache-2.0
"""The group ansible with ansible-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from heat_config.settings import KEPT_VARIABLE, SECRETS_VARIABLE
from tests.support.deployments import inputs
from tests.support.hook_server import HookServer

GROUP = "ansible"


def play(*tasks: dict[str, Any]) -> str:
    return yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}])


def test_the_failure_that_counts_comes_first(server: HookServer) -> None:
    """Before the one that was ignored, the one that was rescued, and any warning."""
    rescued = {"block": [{"fail": {"msg": "second"}}], "rescue": [{"debug": {"msg": "well"}}]}
    ignored = {"fail": {"msg": "first"}, "ignore_errors": True}
    answer, _ = server.hook(play(ignored, rescued, {"fail": {"msg": "third"}}))
    assert answer["deploy_status_code"] == 2
    said = answer["deploy_stderr"].splitlines()
    assert ["third" in said[0], "second" in said[1], "first" in said[2]] == [True] * 3


def test_what_an_operator_keeps_runs_the_playbook_by_hand(
    server: HookServer, tmp_path: Path
) -> None:
    server.variables |= {SECRETS_VARIABLE: str(tmp_path), KEPT_VARIABLE: "1"}
    task = {"debug": {"msg": "it is {{ colour }}"}}
    server.hook(play(task), inputs=inputs(colour="rot\nü"))
    by_hand = server.run("sh", tmp_path / "run.sh")
    assert by_hand.returncode == 0, by_hand.stderr
    assert "it is rot\\nü" in by_hand.stdout


def test_modules_callbacks_inventory_and_tags_to_skip(server: HookServer) -> None:
    folder = server.state
    modules, callbacks = folder / "modules", folder / "callbacks"
    for each in (folder / "empty", modules, callbacks):
        each.mkdir(parents=True)
    (modules / "tell.py").write_text(MODULE)
    (callbacks / "shout.py").write_text(CALLBACK)
    (folder / "hosts").write_text("here ansible_connection=local\n")
    text = play({"tell": {}}, {"fail": {}, "tags": "no"}).replace("localhost", "here")
    options = {
        "modulepath": [str(folder / "empty"), str(modules)],
        "callback_plugins": str(callbacks),
        "inventory": "hosts",
        "skip_tags": ["no", "never"],
        "verbosity": 1,
    }
    answer, _ = server.hook(text, options=options)
    assert answer["deploy_status_code"] == 0, answer
    assert "the module was here" in answer["deploy_stdout"]
    assert "the callback was here" in answer["deploy_stdout"]


MODULE = """
from ansible.module_utils.basic import AnsibleModule
AnsibleModule(argument_spec={}).exit_json(msg="the module was here")
"""

CALLBACK = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "shout"
    CALLBACK_NEEDS_ENABLED = False

    def v2_playbook_on_stats(self, stats):
        print("the callback was here")
"""


def test_roles_tags_and_no_variables_left(server: HookServer) -> None:
    task = {"copy": {"content": "{{ deploy_password }}", "dest": "{{ heat_outputs_path }}.told"}}
    config = {
        "site.yml": play({"include_role": {"name": "greet"}, "tags": "yes"}),
        "roles/greet/tasks/main.yml": [{**task, "tags": "yes"}, {"fail": {}, "tags": "no"}],
    }
    answer, log = server.hook(
        config,
        inputs=inputs(deploy_password="hunter22"),
        outputs=[{"name": "told"}],
        options={"tags": "yes", "verbosity": 1},
    )
    assert answer["deploy_status_code"] == 0, answer
    # What the play has written is the password, which the hook masks as the agent would.
    assert answer["told"] == "***"
    assert "hunter22" not in log
    assert list(server.state.glob("*.json")) == []


def test_a_playbook_that_cannot_be_read(server: HookServer) -> None:
    answer, _ = server.hook("- hosts: [")
    assert answer["deploy_status_code"] != 0
    assert "ERROR! " in answer["deploy_stderr"].splitlines()[0]
