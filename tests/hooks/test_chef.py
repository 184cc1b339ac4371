# SPDX-License-Identifier: Apache-2.0
"""The group chef with a stand-in for chef-client, which cannot be installed here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.deployments import inputs
from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "chef"
RUN_LIST = '["recipe[greeting]"]'


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    path = tmp_path / "kitchen"
    recipe = path / "cookbooks/greeting/recipes/default.rb"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("# the recipe\n")
    subprocess.run(["git", "init", "-q", path], check=True)
    commit(path)
    return path


def commit(kitchen: Path) -> None:
    git = ["git", "-C", str(kitchen), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)


def test_create_update_and_delete(create_stack: Create, server: HookServer, kitchen: Path) -> None:
    template = example(GROUP)
    stack = create_stack(template, kitchen=str(kitchen), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert stack.output("greeted") == "grüß\nGott"
    assert "environment 'production', attributes ['greeting']" in stack.output("stdout")

    (kitchen / "cookbooks/greeting/recipes/default.rb").write_text("# the second\n")
    commit(kitchen)
    stack.update(template, kitchen=str(kitchen), greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert stack.output("greeted") == "again"
    assert "# the second" in stack.output("stdout")

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason


def test_a_kitchen_that_is_not_there(create_stack: Create, server: HookServer) -> None:
    stack = create_stack(example(GROUP), kitchen="/nonexistent/kitchen")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 128" in stack.reason
    assert "'/nonexistent/kitchen' does not exist" in stack.output("stderr")


def test_a_run_that_fails(server: HookServer) -> None:
    given = inputs(deploy_password="hunter22", password="secret42")
    answer, log = server.hook(RUN_LIST, inputs=given)
    assert answer["deploy_status_code"] == 1
    assert "cookbook greeting not found" in answer["deploy_stderr"]
    assert "attributes ['password']" in answer["deploy_stdout"]
    assert "hunter22" not in log
    assert "secret42" not in log
    assert not list(server.state.glob("*.json"))


def test_a_kitchen_that_cannot_be_fetched_leaves_the_old_one(
    server: HookServer, kitchen: Path
) -> None:
    given = inputs(greeting="hello")
    outputs = [{"name": "greeted"}]
    for address, code in ((kitchen, 0), ("/nonexistent", 128)):
        options = {"kitchen": str(address)}
        answer, _ = server.hook(RUN_LIST, inputs=given, options=options)
        assert answer["deploy_status_code"] == code
    answer, _ = server.hook(RUN_LIST, inputs=given, outputs=outputs)
    assert answer["greeted"] == "hello"
