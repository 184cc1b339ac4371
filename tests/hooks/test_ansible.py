# SPDX-License-Identifier: Apache-2.0
"""The group ansible with ansible-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .server import Create, HookServer, drive, example, inputs, without_deployment

GROUP = "ansible"


def play(*tasks: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}])


def test_create_update_and_delete(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    template, path = example(GROUP), tmp_path / "greeting"
    stack = create_stack(template, path=str(path), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert path.read_text() == stack.output("greeted") == "grüß\nGott"

    stack.update(template, path=str(path), greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert path.read_text() == "again"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert not path.exists()


def test_a_task_that_fails(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    stack = create_stack(example(GROUP), path=f"{tmp_path}/no/folder", greeting="")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 2" in stack.reason
    assert "failure : fatal: [localhost]: FAILED!" in stack.reason
    assert f"{tmp_path}/no" in stack.reason
    assert stack.output("stderr").startswith("fatal: [localhost]: FAILED!")
    assert "does not exist" in stack.output("stderr").splitlines()[0]


def test_the_failure_that_counts_comes_first(server: HookServer) -> None:
    """Before the one that was ignored, the one that was rescued, and any warning."""
    rescued = {"block": [{"fail": {"msg": "second"}}], "rescue": [{"debug": {"msg": "well"}}]}
    ignored = {"fail": {"msg": "first"}, "ignore_errors": True}
    answer, _ = server.hook(play(ignored, rescued, {"fail": {"msg": "third"}}))
    assert answer["deploy_status_code"] == 2
    said = answer["deploy_stderr"].splitlines()
    assert ["third" in said[0], "second" in said[1], "first" in said[2]] == [True] * 3


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
    assert answer["told"] == "hunter22"
    assert "hunter22" not in log
    assert list(server.state.glob("*.json")) == []


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("- hosts: [", "ERROR! "),
        (["a"], "the config is a list, not a map"),
        ({"a.yml": "[]"}, "a map of files without site.yml"),
        ({"../site.yml": "[]"}, "'../site.yml' cannot be a file below"),
        ("", "the config is empty"),
    ],
)
def test_a_bad_config_is_named(server: HookServer, config: object, reason: str) -> None:
    answer, _ = server.hook(config)
    assert answer["deploy_status_code"] != 0
    assert reason in answer["deploy_stderr"].splitlines()[0]
