# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/writing-a-hook.md are hooks, and as the page shows them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heat_config import hookkit
from heat_config.result import Result
from tests.support.checkout import DOCS, REPOSITORY


def answer(name: str, config: object, folder: Path, **more: Any) -> dict[str, Any]:
    """Run an example as the agent does."""
    program = DOCS / "hooks" / name
    start = [sys.executable] if program.suffix == ".py" else []
    variables = {"PYTHONPATH": str(REPOSITORY), "HEAT_SORT_WORKING": str(folder)}
    done = subprocess.run(
        [*start, str(program)],
        input=json.dumps({"id": "c1", "name": "n", "config": config, **more}),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables, "HEAT_SORT_OUTPUTS": str(folder)},
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


DELETION = [{"name": "deploy_action", "value": "DELETE"}]


def stated() -> set[str]:
    """The names of hookkit in the page's table of what stays."""
    _, _, api = (DOCS / "writing-a-hook.md").read_text().partition("## What stays as it is")
    rows = [line.split("|")[1] for line in api.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_the_page_states_the_whole_api() -> None:
    assert stated() == set(hookkit.__all__)
    assert all(hasattr(hookkit, name) for name in hookkit.__all__)


def test_the_page_states_what_a_result_has() -> None:
    end = (DOCS / "writing-a-hook.md").read_text().partition("it is `Result`")[2]
    assert re.findall(r"`(\w+)`", end) == [*Result._fields, "failed"]


@pytest.mark.parametrize("of", [hookkit.Config, hookkit.Tool, hookkit.Workplace, hookkit.Reasons])
def test_the_page_states_what_each_type_has(of: type) -> None:
    lines = (DOCS / "writing-a-hook.md").read_text().splitlines()
    (row,) = (line for line in lines if line.startswith("| `") and f"`{of.__name__}` |" in line)
    public = {name for name in vars(of) if not name.startswith("_")}
    assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == public


def test_the_example_in_python_uses_the_stated_names_alone() -> None:
    tree = ast.parse((DOCS / "hooks/example.py").read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {(node.module, name.name) for node in found for name in node.names}
    assert imported == {("heat_config", "hookkit"), ("heat_config.result", "Result")}
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "hookkit"
    }
    assert used <= stated()


@pytest.mark.parametrize("name", ["example.py", "example.sh"])
def test_the_page_shows_the_program(name: str) -> None:
    assert (DOCS / "hooks" / name).read_text() in (DOCS / "writing-a-hook.md").read_text()


def test_the_example_in_python(tmp_path: Path) -> None:
    said = answer("example.py", "ü\na\n", tmp_path, options={"reverse": True})
    assert (said["deploy_status_code"], said["first"]) == (0, "ü")
    assert (tmp_path / "n").read_text() == "ü\na\n"

    assert "not a string" in answer("example.py", ["a"], tmp_path)["deploy_stderr"]
    wrong = answer("example.py", "", tmp_path, options={"reverse": "perhaps"})
    assert (wrong["deploy_status_code"], "reverse" in wrong["deploy_stderr"]) == (1, True)
    assert answer("example.py", "", tmp_path, inputs=DELETION)["deploy_status_code"] == 0
    assert list(tmp_path.iterdir()) == []


def test_the_example_in_python_without_its_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAT_SORT_CMD", "/nonexistent/sort")
    said = answer("example.py", "a", tmp_path)
    assert said["deploy_status_code"] == 127
    assert "install the package coreutils" in said["deploy_stderr"]


def test_the_example_in_shell(tmp_path: Path) -> None:
    options = {"folder": str(tmp_path / "motd")}
    texts = {"alice": "grüß\nGott", "bob": "hello"}
    said = answer("example.sh", texts, tmp_path, options=options)
    assert (said["deploy_status_code"], said["count"]) == (0, "2")
    assert (tmp_path / "motd/alice").read_text() == "grüß\nGott\n"

    for config, reason in ((["a"], "not a map"), ({"../a": "x"}, "'../a' is no name")):
        wrong = answer("example.sh", config, tmp_path, options=options)
        assert wrong["deploy_status_code"] == 1
        assert reason in wrong["deploy_stderr"]

    said = answer("example.sh", texts, tmp_path, options=options, inputs=DELETION)
    assert (said["deploy_status_code"], list((tmp_path / "motd").iterdir())) == (0, [])


def test_the_example_in_shell_without_its_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sh", "cat", "mktemp", "rm"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = answer("example.sh", {}, tmp_path)
    assert said["deploy_status_code"] == 127
    assert "jq is not on this server" in said["deploy_stderr"]
