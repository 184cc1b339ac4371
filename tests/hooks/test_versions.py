# SPDX-License-Identifier: Apache-2.0
"""The table in README.md names the versions that these tests run on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .versions import COMMANDS, named_for

HERE = [
    *COMMANDS.items(),
    ("cfn-init", "pip list | sed -n 's/^heat-cfntools *//p'"),
    ("apply-config", "os-apply-config --version"),
    ("docker-cmd", "dockerd --version | sed 's/.*version \\([^,+]*\\).*/\\1/'"),
    ("docker-compose", "docker-compose version --short"),
    ("docker-compose", "podman-compose version --short"),
]


def told(command: str, folders: list[Path]) -> str:
    path = ":".join([*map(str, folders), "/usr/sbin:/usr/bin:/sbin:/bin"])
    argv = ["sh", "-c", command]
    return subprocess.run(argv, env={"PATH": path}, text=True, capture_output=True).stdout.strip()


def test_the_plug_in_of_docker_is_there_too(compose_plug_in: Path) -> None:
    version = told(f"{compose_plug_in}/cli-plugins/docker-compose version --short", [])
    assert version.partition("-")[0] in named_for("docker-compose")


@pytest.mark.parametrize(("group", "command"), HERE)
def test_the_table_is_true(salt_call: Path, group: str, command: str) -> None:
    folders = [Path(sys.executable).parent, salt_call.parent]
    version = told(command, folders)
    assert version in named_for(group), command
