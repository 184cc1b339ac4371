# SPDX-License-Identifier: Apache-2.0
"""The group salt with salt-call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.server import REPOSITORY

from .containers import Create, HookServer, drive, example, inputs, without_deployment

GROUP = "salt"
# 3008.5 asks for a certifi that is not to be had everywhere.
VERSION = "3008.3"


@pytest.fixture(scope="session")
def salt_call() -> Path:
    """Salt in an environment of its own: Debian has none, and its needs are not ours."""
    folder = REPOSITORY / f".cache/venv-salt-{VERSION}"
    program = folder / "bin/salt-call"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin/pip"), "install", "--quiet", f"salt=={VERSION}"]
        subprocess.run(pip, check=True)
    return program


@pytest.fixture
def server(tmp_path: Path, salt_call: Path) -> HookServer:
    minion = tmp_path / "minion/minion"
    minion.parent.mkdir()
    minion.write_text(f"root_dir: {tmp_path}/minion\nfile_client: local\n")
    variables = {
        "HEAT_SALT_CMD": str(salt_call),
        "HEAT_SALT_WORKING": str(tmp_path / "working"),
        "HEAT_SALT_OUTPUTS": str(tmp_path / "outputs"),
        "SALT_MINION_CONFIG": str(minion),
    }
    return HookServer(tmp_path / "server", variables)


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


def test_a_state_as_a_map_and_no_pillar_left(server: HookServer, tmp_path: Path) -> None:
    config = {"say": {"cmd.run": [{"name": "echo hunter22"}]}}
    answer, log = server.hook(GROUP, config, inputs=inputs(deploy_password="hunter22"))
    assert answer["deploy_status_code"] == 0, answer
    assert "hunter22" not in log
    assert list((tmp_path / "working").glob("*.pillar")) == []


def test_a_state_that_cannot_be_read(server: HookServer) -> None:
    answer, _ = server.hook(GROUP, "a: [")
    assert answer["deploy_status_code"] != 0
    assert "Rendering SLS" in answer["deploy_stderr"].splitlines()[0]
