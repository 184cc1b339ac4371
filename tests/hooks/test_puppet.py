# SPDX-License-Identifier: Apache-2.0
"""The groups puppet and hiera with Puppet."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .containers import Create, HookServer, drive, example, inputs, without_deployment

GROUP = "puppet"


@pytest.fixture
def server(tmp_path: Path) -> HookServer:
    folders = {
        "HEAT_PUPPET_WORKING": "working",
        "HEAT_PUPPET_OUTPUTS": "outputs",
        "HEAT_PUPPET_HIERA_DATADIR": "hieradata",
        "HEAT_HIERA_CONFIG": "hiera.yaml",
    }
    root = tmp_path / "server"
    return HookServer(root, {name: str(tmp_path / each) for name, each in folders.items()})


def lookup(folder: Path, key: str) -> str:
    code = f"notice(lookup('{key}'))"
    argv = ["puppet", "apply", f"--hiera_config={folder}/hiera.yaml", "--color=false", "-e", code]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


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


def test_a_resource_that_fails(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    stack = create_stack(example(GROUP), path=f"{tmp_path}/no/folder", greeting="x")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 6" in stack.reason
    assert "No such file or directory" in stack.output("stderr")


def test_inputs_as_data_of_hiera(server: HookServer, tmp_path: Path) -> None:
    answer, log = server.hook(
        GROUP,
        'notice($facts["deploy_config_name"])',
        inputs=inputs(deploy_password="hunter22", colour="rot"),
        options={"enable_hiera": True, "enable_facter": False},
    )
    assert answer["deploy_status_code"] == 0, answer
    assert "n1" in answer["deploy_stdout"]
    path = tmp_path / "hieradata/heat_config_n1.json"
    assert json.loads(path.read_text())["colour"] == "rot"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hunter22" not in log


@pytest.mark.parametrize(
    ("config", "options", "reason"),
    [
        ("file {", {}, "Syntax error"),
        ({"a": 1}, {}, "the config is not a text"),
        ("", {"enable_hiera": "perhaps"}, "option enable_hiera is 'perhaps'"),
    ],
)
def test_what_is_wrong_is_named(
    server: HookServer, config: object, options: dict[str, object], reason: str
) -> None:
    answer, _ = server.hook(GROUP, config, options=options)
    assert answer["deploy_status_code"] == 1
    assert reason in answer["deploy_stderr"]


def test_data_and_hierarchy_of_hiera(
    create_stack: Create, server: HookServer, tmp_path: Path
) -> None:
    template = example("hiera")
    stack = create_stack(template, greeting="grüß Gott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert "grüß Gott" in lookup(tmp_path, "greeting")

    stack.update(template, greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert "again" in lookup(tmp_path, "greeting")

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert list((tmp_path / "hieradata").iterdir()) == []


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (["a"], "the config is a list, not a map"),
        ({"datafiles": ["a"]}, "'datafiles' is a list, not a map"),
        ({"datafiles": {"../a": {}}}, "cannot be a file below"),
        ({"hierarchy": 3}, "'hierarchy' is a number, not a list"),
    ],
)
def test_bad_data_for_hiera_is_named(server: HookServer, config: object, reason: str) -> None:
    answer, _ = server.hook("hiera", config)
    assert answer["deploy_status_code"] == 1
    assert reason in answer["deploy_stderr"]
