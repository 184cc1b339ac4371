# SPDX-License-Identifier: Apache-2.0
"""The group cfn-init with heat-cfntools."""

from __future__ import annotations

from pathlib import Path

from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "cfn-init"


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


def test_what_cfn_init_reads_is_private(server: HookServer) -> None:
    server.hook({"config": {}})
    folder = Path(server.variables["HEAT_CFN_INIT_LAST_METADATA_DIR"])
    assert (folder / "last_metadata").stat().st_mode & 0o777 == 0o600
