# SPDX-License-Identifier: Apache-2.0
"""The group apply-config with os-apply-config."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "apply-config"
# It fails as a template may: with more on stderr than a signal may hold.
BROKEN = """#!/bin/sh
cat > /dev/null
yes línea | head -c 5000000 >&2
echo 'no such key' >&2
exit 1
"""


@pytest.fixture
def templates(server: HookServer, tmp_path: Path) -> Path:
    """A folder of templates that the hook applies, rendered into the server's folder."""
    folder, program = tmp_path / "templates", tmp_path / "apply"
    (folder / "etc").mkdir(parents=True)
    metadata = tmp_path / "metadata.json"
    metadata.write_text('{"greeting": "grüß Gott"}')
    options = f"--templates {folder} --output {server.root} --metadata {metadata}"
    program.write_text(f"#!/bin/sh\nexec os-apply-config {options}\n")
    program.chmod(0o755)
    server.variables["HEAT_APPLY_CONFIG_CMD"] = str(program)
    return folder


def test_create_update_and_delete(
    create_stack: Create, server: HookServer, templates: Path
) -> None:
    template, rendered = example(GROUP), server.root / "etc/greeting"
    (templates / "etc/greeting").write_text("{{greeting}}\n")
    stack = create_stack(template)
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert rendered.read_text() == "grüß Gott\n"

    (templates / "etc/greeting").write_text("{{greeting}}!\n")
    template["resources"]["config"]["properties"]["config"] = {"changed": True}
    stack.update(template)
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert rendered.read_text() == "grüß Gott!\n"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason


def test_a_template_that_fails(create_stack: Create, server: HookServer, templates: Path) -> None:
    (templates / "etc/broken").write_text(BROKEN)
    (templates / "etc/broken").chmod(0o755)
    stack = create_stack(example(GROUP))
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 1" in stack.reason
    assert "no such key" in stack.output("stderr")
