# SPDX-License-Identifier: Apache-2.0
"""The table in docs/hooks.md names the series of each tool that these tests run on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.versions import COMMANDS, is_named

HERE = [
    *COMMANDS.items(),
    ("cfn-init", "pip list | sed -n 's/^heat-cfntools *//p'"),
    ("apply-config", "os-apply-config --version"),
    ("docker-cmd", "dockerd --version | sed 's/.*version \\([^,+]*\\).*/\\1/'"),
    ("docker-compose", "docker-compose version --short"),
    ("docker-compose", "podman-compose version --short"),
]


def version(command: str, folders: list[Path]) -> str:
    path = ":".join([*map(str, folders), "/usr/sbin:/usr/bin:/sbin:/bin"])
    argv = ["sh", "-c", command]
    return subprocess.run(argv, env={"PATH": path}, text=True, capture_output=True).stdout.strip()


def test_the_plug_in_of_docker_is_there_too(compose_plug_in: Path) -> None:
    command = f"{compose_plug_in}/cli-plugins/docker-compose version --short"
    assert is_named("docker-compose", version(command, []))


@pytest.mark.parametrize(("group", "command"), HERE)
def test_the_table_is_true(salt_call: Path, group: str, command: str) -> None:
    found = version(command, [Path(sys.executable).parent, salt_call.parent])
    assert is_named(group, found), found
