# SPDX-License-Identifier: Apache-2.0
"""The hooks of the groups whose tools leave something running, and of cfn-init and chef:
what they answer before a tool is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import REPOSITORY

# Each group's variable that names its tool, and the package to install.
GROUPS = {
    "docker-cmd": ("HEAT_DOCKER_CMD", "docker.io or podman"),
    "docker-compose": ("HEAT_DOCKER_COMPOSE_CMD", "docker-compose"),
    "kubelet": ("HEAT_PODMAN_CMD", "podman"),
    "cfn-init": ("HEAT_CFN_INIT_CMD", "heat-cfntools"),
    "chef": ("HEAT_CHEF_CMD", "chef or cinc"),
}


def run(group: str, config: Any, *, tool: str = "", **more: Any) -> dict[str, Any]:
    variable = {GROUPS[group][0]: tool} if tool else {}
    folder = os.environ["HEAT_CONFIG_LOGS"]
    names = ["DOCKER_COMPOSE_WORKING", "KUBELET_MANIFESTS", "CFN_INIT_LAST_METADATA_DIR"]
    names += ["CHEF_WORKING", "CHEF_OUTPUTS"]
    folders = {f"HEAT_{name}": f"{folder}/{name}" for name in names}
    completed = subprocess.run(
        [sys.executable, REPOSITORY / "hooks" / group],
        input=json.dumps({"id": "c1", "name": "n", "group": group, "config": config, **more}),
        text=True,
        capture_output=True,
        check=False,
        env={"PATH": "/nonexistent", "PYTHONPATH": str(REPOSITORY), **folders, **variable},
    )
    assert completed.returncode == 0, completed.stderr
    answer: dict[str, Any] = json.loads(completed.stdout)
    return answer


@pytest.mark.parametrize("group", GROUPS)
def test_a_missing_tool_names_the_package(group: str) -> None:
    answer = run(group, "")
    assert answer["deploy_status_code"] == 127
    expected = f"is not on this server: install the package {GROUPS[group][1]}"
    assert expected in answer["deploy_stderr"]


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "chef"])
@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (["a"], "the config is a list, not a map"),
        ("- a\n", "the config is a list, not a map"),
        ("a: [", "the config is not valid YAML: "),
        (7, "the config is a number, not a map"),
    ],
)
def test_a_config_that_is_no_map(group: str, config: Any, reason: str) -> None:
    answer = run(group, config, tool="/bin/true")
    assert answer["deploy_status_code"] == 1
    assert reason in answer["deploy_stderr"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"a": "b"}, "the config is a map, not a list of recipes and roles"),
        ("recipe[a]", "the config is not valid JSON: "),
        ([1], "not a list of recipes and roles"),
    ],
)
def test_a_run_list_that_is_none(config: Any, reason: str) -> None:
    assert reason in run("chef", config, tool="/bin/true")["deploy_stderr"]


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (["image"], "the container 'a' is a list, not a map"),
        ("image", "the container 'a' is a list, not a map"),
        ({}, "the container 'a' has no 'image'"),
        ({"image": "i", "action": "stop"}, "the action 'stop' is neither 'run' nor 'exec'"),
        ({"image": "i", "start_order": "1"}, "'start_order' is a text, not a number"),
        ({"image": "i", "exit_codes": ["0"]}, "'exit_codes' is not a list of numbers"),
        ({"image": "i", "volumes": 7}, "volumes is a number, not a list"),
        ({"image": "i", "command": "sh 'x"}, "cannot be split into words"),
        ({"action": "exec"}, "'command' must name a container and a command"),
    ],
)
def test_a_container_that_cannot_be_run(container: Any, reason: str) -> None:
    assert reason in run("docker-cmd", {"a": container}, tool="/bin/true")["deploy_stderr"]


@pytest.mark.parametrize("config", ["", {}])
def test_no_containers_are_nothing_to_do(config: Any) -> None:
    for group in ("docker-cmd", "docker-compose"):
        assert run(group, config, tool="/bin/true")["deploy_status_code"] == 0


@pytest.mark.parametrize("files", ["nonsense(", 7, [{"content": "x"}], ["x"]])
def test_env_files_that_are_none(files: Any) -> None:
    given = [{"name": "env_files", "value": files}]
    answer = run("docker-compose", {"a": {}}, tool="/bin/true", inputs=given)
    assert "the input 'env_files' is not a list of maps" in answer["deploy_stderr"]


def test_a_projects_name_that_leads_elsewhere() -> None:
    answer = run("docker-compose", {"a": {}}, tool="/bin/true", name="../up")
    assert "the deployment's name '../up' cannot be a folder's" in answer["deploy_stderr"]


@pytest.mark.parametrize(
    ("config", "options", "reason"),
    [
        ({"kind": "Pod"}, {}, "it has no containers"),
        ({"spec": {"containers": ["x"]}}, {}, "no list of maps with an image"),
        ({"spec": []}, {}, "it has no containers"),
        (
            {"containers": [{"image": "i"}]},
            {"images_timeout": "x"},
            "'images_timeout' is no number",
        ),
    ],
)
def test_a_manifest_that_cannot_be_played(config: Any, options: Any, reason: str) -> None:
    answer = run("kubelet", config, tool="/bin/true", options=options)
    assert reason in answer["deploy_stderr"]


@pytest.mark.parametrize("group", ["docker-cmd", "docker-compose", "kubelet"])
def test_without_its_tool_the_clean_up_stops_nothing(group: str, tmp_path: Path) -> None:
    metadata = tmp_path / "metadata"
    metadata.write_text("[]")
    completed = subprocess.run(
        [sys.executable, REPOSITORY / "hooks" / group, "--remove-vanished"],
        text=True,
        capture_output=True,
        check=False,
        env={
            "PATH": "/nonexistent",
            "PYTHONPATH": str(REPOSITORY),
            "HEAT_SHELL_CONFIG": str(metadata),
            "HEAT_DOCKER_COMPOSE_WORKING": str(tmp_path / "compose"),
            "HEAT_KUBELET_MANIFESTS": str(tmp_path / "manifests"),
        },
    )
    assert completed.returncode == 0
    assert "Traceback" not in completed.stderr
