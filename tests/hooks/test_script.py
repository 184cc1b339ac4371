# SPDX-License-Identifier: Apache-2.0
"""The group script through Heat; what it answers in each case is in the unit tests."""

from __future__ import annotations

from pathlib import Path

from .server import Create, HookServer, drive, example, without_deployment

GROUP = "script"


def test_create_update_and_delete(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    template, path = example(GROUP), tmp_path / "greeting"
    stack = create_stack(template, path=str(path), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert path.read_text() == stack.output("greeted") == "grüß\nGott"

    stack.update(template, path=str(path), greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert path.read_text() == stack.output("greeted") == "again"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert not path.exists()


def test_a_script_that_fails(create_stack: Create, server: HookServer, tmp_path: Path) -> None:
    stack = create_stack(example(GROUP), path=f"{tmp_path}/no/folder", greeting="x")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 2" in stack.reason
    assert f"cannot create {tmp_path}/no/folder: Directory nonexistent" in stack.reason
