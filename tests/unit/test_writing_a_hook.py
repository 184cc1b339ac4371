# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/writing-a-hook.md are hooks, and as the page shows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import REPOSITORY

DOCS = REPOSITORY / "docs"


def answer(program: Path, config: object, folder: Path) -> dict[str, Any]:
    start = [sys.executable] if program.suffix == ".py" else []
    done = subprocess.run(
        [*start, str(program)],
        input=json.dumps({"id": "c1", "name": "n", "config": config}),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HEAT_SORT_WORKING": str(folder)},
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("name", ["example.py", "example.sh"])
def test_the_page_shows_the_program(name: str) -> None:
    assert (DOCS / "hooks" / name).read_text() in (DOCS / "writing-a-hook.md").read_text()


def test_the_example_in_python(tmp_path: Path) -> None:
    said = answer(DOCS / "hooks/example.py", "b\na\n", tmp_path)
    assert (said["deploy_status_code"], said["deploy_stdout"]) == (0, "a\nb\n")
    assert "not a text" in answer(DOCS / "hooks/example.py", ["a"], tmp_path)["deploy_stderr"]


def test_the_example_in_shell(tmp_path: Path) -> None:
    said = answer(DOCS / "hooks/example.sh", "x", tmp_path)
    assert said["deploy_status_code"] == 0
    assert int(said["deploy_stdout"]) > 0
