# SPDX-License-Identifier: Apache-2.0
"""The groups whose example writes a file and an output, through Heat, on their real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hook_server import MakeServer, drive, example, without_deployment
from tests.support.stacks import Create

# Salt writes lines.
GROUPS = {"script": "", "ansible": "", "puppet": "", "salt": "\n"}


@pytest.mark.parametrize("group", GROUPS)
def test_create_update_and_delete(
    create_stack: Create, make_server: MakeServer, group: str, tmp_path: Path
) -> None:
    template, path, end = example(group), tmp_path / "greeting", GROUPS[group]
    server = make_server(group)
    stack = create_stack(template, path=str(path), greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert path.read_text() == stack.output("greeted") == f"grüß\nGott{end}"

    stack.update(template, path=str(path), greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert path.read_text() == stack.output("greeted") == f"again{end}"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert not path.exists()


@pytest.mark.parametrize(
    ("group", "code", "reason"),
    [
        ("script", 2, "cannot create {path}: Directory nonexistent"),
        ("ansible", 2, "fatal: [localhost]: FAILED!"),
        ("puppet", 6, "No such file or directory"),
        ("salt", 2, "{path}: "),
    ],
)
def test_a_failure_is_in_the_stacks_reason(
    create_stack: Create,
    make_server: MakeServer,
    group: str,
    code: int,
    reason: str,
    tmp_path: Path,
) -> None:
    path = f"{tmp_path}/no/folder"
    stack = create_stack(example(group), path=path, greeting="x")
    assert drive(stack, make_server(group)) == "FAILED"
    assert f"non-zero status code: {code}" in stack.reason
    assert reason.format(path=path) in stack.reason
    assert reason.format(path=path) in stack.output("stderr")
