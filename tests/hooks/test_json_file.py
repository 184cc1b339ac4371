# SPDX-License-Identifier: Apache-2.0
"""The groups json-file and apply-config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .containers import Create, HookServer, drive, example, without_deployment


@pytest.fixture
def server(tmp_path: Path) -> HookServer:
    return HookServer(tmp_path / "server", {})


def test_create_update_and_delete(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    template, path = example("json-file"), tmp_path / "new/greeting.json"
    stack = create_stack(template, path=str(path), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert json.loads(path.read_text()) == {"greeting": "grüß\nGott"}

    path.chmod(0o600)
    stack.update(template, path=str(path), greeting="x")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert json.loads(path.read_text()) == {"greeting": "x"}
    assert path.stat().st_mode & 0o777 == 0o600

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert not path.exists()


def test_a_path_that_cannot_be_meant(create_stack: Create, server: HookServer) -> None:
    stack = create_stack(example("json-file"), path="relative", greeting="")
    assert drive(stack, server) == "FAILED"
    assert "'relative' is not the absolute path of a file" in stack.output("stderr")


@pytest.mark.parametrize(
    ("config", "reason"), [(["a"], "a list, not a map"), ("{", "the config is not valid YAML")]
)
def test_a_bad_config_is_named(server: HookServer, config: object, reason: str) -> None:
    answer, _ = server.hook("json-file", config)
    assert reason in answer["deploy_stderr"]


def test_much_data(server: HookServer, tmp_path: Path) -> None:
    path = tmp_path / "much.json"
    answer, _ = server.hook("json-file", {str(path): "ü" * 2_500_000})
    assert answer["deploy_status_code"] == 0
    assert len(json.loads(path.read_text())) == 2_500_000


def test_os_apply_config_is_run(create_stack: Create, server: HookServer) -> None:
    stack = create_stack(example("apply-config"))
    assert drive(stack, server) == "COMPLETE", stack.reason


def test_os_apply_config_fails(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\nexec os-apply-config --metadata /dev/null --key no.such.key\n")
    program.chmod(0o755)
    server.variables["HEAT_APPLY_CONFIG_CMD"] = str(program)
    stack = create_stack(example("apply-config"))
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code" in stack.reason
