# SPDX-License-Identifier: Apache-2.0
"""The group ansible with ansible-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .containers import Create, HookServer, drive, example, inputs, without_deployment

GROUP = "ansible"


@pytest.fixture
def server(tmp_path: Path) -> HookServer:
    folders = {"HEAT_ANSIBLE_WORKING": "working", "HEAT_ANSIBLE_OUTPUTS": "outputs"}
    root = tmp_path / "server"
    return HookServer(root, {name: str(tmp_path / each) for name, each in folders.items()})


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
    assert stack.output("stderr").startswith("fatal: [localhost]: FAILED!")
    assert "does not exist" in stack.output("stderr").splitlines()[0]


def test_roles_tags_and_no_variables_left(server: HookServer, tmp_path: Path) -> None:
    task = {"copy": {"content": "{{ deploy_password }}", "dest": "{{ heat_outputs_path }}.told"}}
    config = {
        "site.yml": play({"include_role": {"name": "greet"}, "tags": "yes"}),
        "roles/greet/tasks/main.yml": [{**task, "tags": "yes"}, {"fail": {}, "tags": "no"}],
    }
    answer, log = server.hook(
        GROUP,
        config,
        inputs=inputs(deploy_password="hunter22"),
        outputs=[{"name": "told"}],
        options={"tags": "yes", "verbosity": 1},
    )
    assert answer["deploy_status_code"] == 0, answer
    assert answer["told"] == "hunter22"
    assert "hunter22" not in log
    assert list((tmp_path / "working").glob("*.json")) == []


def test_much_output(server: HookServer) -> None:
    much = {"command": "head -c 5000000 /dev/zero"}
    answer, _ = server.hook(
        GROUP, play(much, {"fail": {"msg": "the end"}}), options={"verbosity": 1}
    )
    assert answer["deploy_status_code"] == 2
    assert "the end" in answer["deploy_stderr"].splitlines()[0]
    assert len(answer["deploy_stdout"]) < 5_000_000


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
    answer, _ = server.hook(GROUP, config)
    assert answer["deploy_status_code"] != 0
    assert reason in answer["deploy_stderr"].splitlines()[0]
