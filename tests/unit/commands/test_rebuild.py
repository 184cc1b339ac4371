# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli
from heat_config.run.store import Store
from heat_config.settings import Settings
from tests.support.deployments import script


@pytest.fixture
def os_apply_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in on PATH that prints the deployments it is given."""

    def install(deployments: str, status: int = 0) -> None:
        program = tmp_path / "bin" / "os-apply-config"
        program.parent.mkdir()
        (tmp_path / "deployments").write_text(deployments)
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/deployments\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return install


def test_rebuild_takes_all_that_have_hooks_for_done(os_apply_config: Any) -> None:
    items = [
        script("x"),
        script("x", config_id="c2", group="puppet"),
        script("x", config_id="c3", group="os-apply-config"),
        script("x", config_id="c4", group="Heat::Ungrouped"),
    ]
    os_apply_config(json.dumps(items))
    folder = Path(os.environ["HEAT_CONFIG_DEPLOYED"])
    folder.mkdir(0o700)
    (folder / "c2.json").write_text("kept")
    assert cli.rebuild_deployed([]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["c1.json", "c2.json"]
    assert (folder / "c1.json").read_text() == ""
    assert (folder / "c2.json").read_text() == "kept"


def test_rebuild_keeps_runs_out(
    os_apply_config: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run has begun would else be emptied, and its result forgotten."""
    os_apply_config(json.dumps([script("x")]))
    store = Store(settings)
    held: list[bool] = []
    exists = Path.exists

    def noticed(path: Path) -> bool:
        held.append(store.is_running())
        return exists(path)

    monkeypatch.setattr(Path, "exists", noticed)
    assert cli.rebuild_deployed([]) == 0
    assert held
    assert all(held)
    assert not store.is_running()


@pytest.mark.parametrize(("deployments", "status"), [("{", 0), ("[]", 1)])
def test_rebuild_says_what_went_wrong(
    os_apply_config: Any, deployments: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    os_apply_config(deployments, status)
    assert cli.rebuild_deployed([]) == 1
    assert "os-apply-config" in capsys.readouterr().err


def test_rebuild_without_os_apply_config_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert cli.rebuild_deployed([]) == 1
    assert "cannot run os-apply-config" in capsys.readouterr().err
