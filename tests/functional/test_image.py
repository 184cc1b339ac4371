# SPDX-License-Identifier: Apache-2.0
"""The image that disk-image-create makes with the elements, booted."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.image import build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server
from lab.stack import Heat, Stack

from .template import template

REPOSITORY = Path(__file__).parents[2]
VENV = "opt/stack/venvs/heat-config"

SCRIPT = """#!/bin/bash
echo "password: $deploy_password"
echo "user: $deploy_user_id" >&2
echo "$LANG $(id -u)" > $heat_outputs_path.environment
"""


@pytest.fixture(scope="session")
def root() -> Path:
    return unpack(build_tar())


@pytest.fixture(scope="session")
def stack(heat: Heat) -> Iterator[Stack]:
    wanted = {"config": SCRIPT, "outputs": [{"name": "environment"}]}
    created = heat.create(
        "test-image",
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={"tell": wanted, "broken": {"config": "#!/bin/sh\nexit 3"}},
        ),
    )
    yield created
    created.delete()


@pytest.fixture(scope="session")
def server(root: Path, stack: Stack) -> Iterator[Server]:
    """A server that has found its configuration as a Nova server does."""
    data = {"deployments": [], "os-collect-config": stack.wait_for_server()}
    found = File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data))
    with Server(root, files=[BOOT_CONFIG, found]) as booted:
        yield booted


def test_the_booted_image_runs_what_heat_asks_for(stack: Stack, server: Server) -> None:
    assert stack.wait("CREATE") == "FAILED"
    assert "non-zero status code: 3" in stack.reason
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    assert stack.output("tell.environment").split()[1] == "0"
    assert stack.output("broken.deploy_status_code") == 3


def test_no_secret_is_where_others_can_read_it(lab: Lab, stack: Stack, server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    secrets = secrets_of(server)
    assert len(secrets) >= 5
    journal = server.journal()
    assert "password: ***" in journal
    assert [secret for secret in secrets if secret in journal] == []

    # What the user nobody can read, wherever it is.
    search = ["grep", "-rlsF", "-f", "-", "--exclude-dir=proc", "--exclude-dir=sys", "/"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *search]
    found = server.run(nobody, text_input="\n".join(secrets), check=False, timeout=300)
    assert found.stdout == ""
    # The search itself works: root finds them.
    where = server.run([*search[:-1], "/var/lib"], text_input="\n".join(secrets)).stdout
    assert "/var/lib/heat-config/deployed/" in where

    commands = server.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).stdout
    assert [secret for secret in secrets if secret in commands] == []
    for result in ("deploy_stdout", "deploy_stderr"):
        assert "***" in stack.output(f"tell.{result}")
    logs = "".join(path.read_text(errors="replace") for path in lab.logs.values())
    passwords = [secret for secret in secrets if len(secret) == 32 and not secret.isalnum()]
    assert [secret for secret in passwords if secret in logs] == []


def test_the_service_is_enabled_and_comes_back(server: Server) -> None:
    assert server.run(["systemctl", "is-enabled", "os-collect-config"]).stdout == "enabled\n"
    shown = server.run(["systemctl", "show", "os-collect-config", "-p", "Restart,After"]).stdout
    assert "Restart=no" not in shown
    assert "network-online.target" in shown


def test_the_programs_are_where_people_expect_them(server: Server) -> None:
    for program in ("os-collect-config", "os-refresh-config", "os-apply-config"):
        server.run([f"/usr/local/bin/{program}", "--version" if "refresh" not in program else "-h"])
    version = server.run(["heat-config", "--version"]).stdout
    assert version.startswith("heat-config ")
    assert server.run(["heat-config-notify"], check=False).returncode == 2
    mode = server.run(["stat", "-c", "%a", "/usr/libexec/heat-config/hooks/script"]).stdout
    assert mode == "755\n"


@pytest.mark.usefixtures("stack")
def test_a_lost_folder_of_what_is_deployed_can_be_rebuilt(server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    server.run(["rm", "-r", "/var/lib/heat-config/deployed"])
    server.run(["heat-config-rebuild-deployed"])
    server.run(["os-refresh-config"])
    listing = server.run(["find", "/var/lib/heat-config/deployed", "-type", "f", "-printf", "%s\n"])
    assert listing.stdout.split() == ["0", "0"]


def test_nothing_of_the_build_stays_in_the_image(root: Path) -> None:
    assert list((root / VENV).glob("lib/python3*/site-packages/pip*")) == []
    for folder in ("tmp", "root/.cache", "var/cache/apt/archives", "root/.config/pip"):
        left = [path for path in (root / folder).glob("**/*") if path.is_file()]
        assert [path for path in left if path.name != "lock"] == []
    wheels = subprocess.run(
        ["find", root, "-xdev", "-name", "*.whl"], capture_output=True, text=True, check=True
    )
    assert wheels.stdout == ""
    assert not (root / "etc/pip.conf").exists()


def test_the_environment_is_small(root: Path) -> None:
    files = [path for path in (root / VENV).rglob("*") if not path.is_symlink()]
    assert sum(path.stat().st_blocks * 512 for path in files) < 110e6


def test_the_image_holds_no_secret_of_this_machine(root: Path) -> None:
    assert list((root / "etc/ssh").glob("ssh_host_*")) == []
    machine_id = root / "etc/machine-id"
    assert not machine_id.exists() or machine_id.read_text().strip() in ("", "uninitialized")


def test_the_demo_ends_well_and_leaves_nothing(lab: Lab) -> None:
    demo = subprocess.run(
        [lab.python, "-m", "demo"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "output message: 'Hello, Zaqar! Hello, Zaqar! '" in demo.stdout
    assert not Lab().running


def accepted(server: Server) -> list[str]:
    lines = server.journal("os-collect-config").splitlines()
    return [line for line in lines if "was accepted by queue" in line]


def secrets_of(server: Server) -> list[str]:
    """Every password and user id that Heat has given this server."""
    found: set[str] = set()
    listing = server.run(["ls", "/var/lib/heat-config/deployed"]).stdout.split()
    for name in listing:
        if name.endswith(".notify.json"):
            continue
        item = json.loads(server.read(f"/var/lib/heat-config/deployed/{name}"))
        values: dict[str, Any] = {entry["name"]: entry["value"] for entry in item["inputs"]}
        found |= {values["deploy_password"], values["deploy_user_id"]}
    data = json.loads(server.read("/var/lib/heat-cfntools/cfn-init-data"))
    found.add(data["os-collect-config"]["zaqar"]["password"])
    return sorted(found)
