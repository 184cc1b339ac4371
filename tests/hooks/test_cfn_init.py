# SPDX-License-Identifier: Apache-2.0
"""The group cfn-init with heat-cfntools."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .containers import Create, HookServer, drive, example, inputs, without_deployment

GROUP = "cfn-init"
# heat-cfntools has fixed paths: it sees folders of the test's own there.
IN_PRIVATE = """#!/bin/sh
exec unshare --mount sh -ec '
mount --bind "$1/cache" /var/cache
mount --bind "$1/log" /var/log
exec "$2"' sh {folder} {program}
"""


@pytest.fixture
def server(tmp_path: Path) -> HookServer:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder = tmp_path / "private"
    for name in ("cache", "log"):
        (folder / name).mkdir(parents=True)
    program = folder / "cfn-init"
    real = shutil.which("cfn-init")
    assert real, "heat-cfntools is not installed"
    program.write_text(IN_PRIVATE.format(folder=folder, program=real))
    program.chmod(0o755)
    variables = {
        "HEAT_CFN_INIT_CMD": str(program),
        "HEAT_CFN_INIT_LAST_METADATA_DIR": str(folder / "cache/heat-cfntools"),
        "HEAT_CFN_INIT_LOG": str(folder / "log/cfn-init.log"),
    }
    return HookServer(tmp_path / "server", variables)


def test_create_update_and_delete(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    template, path = example(GROUP), tmp_path / "greeting"
    stack = create_stack(template, path=str(path), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert path.read_text() == "grüß\nGott"

    stack.update(template, path=str(path), greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert path.read_text() == "again"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason


def test_a_command_that_fails(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    stack = create_stack(example(GROUP), path=str(tmp_path / "greeting"), greeting="")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 1" in stack.reason
    assert "check has failed" in stack.output("stderr")


def test_much_output_and_no_secret_in_the_log(server: HookServer) -> None:
    command = "echo hunter22; yes línea | head -c 5000000; echo the end; exit 1"
    config = {"config": {"commands": {"much": {"command": command}}}}
    answer, log = server.hook(GROUP, config, inputs=inputs(deploy_password="hunter22"))
    assert answer["deploy_status_code"] == 1
    assert "much has failed" in answer["deploy_stderr"]
    assert "hunter22" not in log
    folder = Path(server.variables["HEAT_CFN_INIT_LAST_METADATA_DIR"])
    assert (folder / "last_metadata").stat().st_mode & 0o777 == 0o600
