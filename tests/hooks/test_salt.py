# SPDX-License-Identifier: Apache-2.0
"""The group salt with salt-call."""

from __future__ import annotations

from pathlib import Path

from .server import Create, HookServer, drive, example, inputs, without_deployment

GROUP = "salt"


def test_create_update_and_delete(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    template, path = example(GROUP), tmp_path / "greeting"
    stack = create_stack(template, path=str(path), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert path.read_text().rstrip("\n") == "grüß\nGott"
    assert stack.output("greeted").rstrip("\n") == "grüß\nGott"

    stack.update(template, path=str(path), greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert path.read_text().rstrip("\n") == "again"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert not path.exists()


def test_a_state_that_fails(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    stack = create_stack(example(GROUP), path=f"{tmp_path}/no/folder", greeting="x")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code" in stack.reason
    assert stack.output("stderr").startswith(f"{tmp_path}/no/folder: ")


def test_a_state_as_a_map_and_no_pillar_left(server: HookServer) -> None:
    config = {"say": {"cmd.run": [{"name": "echo hunter22"}]}}
    answer, log = server.hook(config, inputs=inputs(deploy_password="hunter22"))
    assert answer["deploy_status_code"] == 0, answer
    assert "hunter22" not in log
    assert list(server.state.glob("*.pillar")) == []


def test_a_state_that_cannot_be_read(server: HookServer) -> None:
    answer, _ = server.hook("a: [")
    assert answer["deploy_status_code"] != 0
    assert "Rendering SLS" in answer["deploy_stderr"].splitlines()[0]
