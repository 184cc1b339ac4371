# SPDX-License-Identifier: Apache-2.0
"""Where heat-agents has run configs our agent goes on: nothing runs twice, nothing is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployments import component, script
from tests.support.former import FormerServer
from tests.support.server import HostServer


def counted(name: str, more: str = "") -> dict[str, Any]:
    return script(f'#!/bin/sh\necho {name} >> "$COUNTED"\n{more}', config_id=name)


OLD = [counted("good"), counted("bad", "exit 3"), component(counted("part"))]
NEW = [*OLD, counted("new")]


@pytest.fixture
def former(tmp_path: Path) -> FormerServer:
    """It has run the old ones, and was asked for them again."""
    made = FormerServer(tmp_path / "former")
    made.run({"deployments": OLD})
    again = made.run({"deployments": OLD, "more": "to be told"})
    assert again.count("already deployed") == len(OLD)
    return made


def test_what_it_has_run_is_shown_and_not_run_again(
    former: FormerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    server = HostServer(tmp_path / "server")
    shutil.copytree(former.deployed, server.deployed)
    server.asks_for(NEW)

    assert server.run("heat-config", "run").returncode == 0

    assert (tmp_path / "counted").read_text() == "new\n"
    shown = json.loads(server.run("heat-config", "status", "--format=json").stdout)
    status = {each["id"]: each["status_code"] for each in shown}
    assert status == {"good": 0, "bad": 3, "part": 0, "new": 0}
    texts = {path.name: path.read_text() for path in former.deployed.iterdir()}
    assert len(texts) == 2 * len(OLD)
    assert {name: (server.deployed / name).read_text() for name in texts} == texts
