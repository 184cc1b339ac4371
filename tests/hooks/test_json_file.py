# SPDX-License-Identifier: Apache-2.0
"""The group json-file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "json-file"


def test_create_update_and_delete(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    template, path = example(GROUP), tmp_path / "new/greeting.json"
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
    stack = create_stack(example(GROUP), path="relative", greeting="")
    assert drive(stack, server) == "FAILED"
    assert "'relative' is not the absolute path of a file" in stack.output("stderr")
