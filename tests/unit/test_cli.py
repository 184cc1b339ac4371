# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heat_config import __version__, cli, settings
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


def config(tmp_path: Path, **inputs: Any) -> str:
    entries = [{"name": name, "value": value} for name, value in inputs.items()]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(script("x", inputs=entries)))
    return str(path)


@pytest.mark.parametrize("argv", [[], ["dance"], ["run", "fast"], ["elements-path", "x"]])
def test_an_unknown_command_is_shown_the_usage(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2
    assert "usage: heat-config" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"heat-config {__version__}\n"


def test_a_setting_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEAT_CONFIG_TIMEOUT", "soon")
    assert cli.main(["run"]) == cli.BAD_SETTING
    assert "HEAT_CONFIG_TIMEOUT='soon' must be a number, at least 1" in capsys.readouterr().err


def test_settings_come_from_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "heat-config.conf"
    file.write_text("# mine\nHEAT_CONFIG_MESSAGE_TTL = '3600'\nHEAT_CONFIG_TIMEOUT=60\n")
    monkeypatch.setenv("HEAT_CONFIG_TIMEOUT", "90")
    loaded = settings.load()
    assert (loaded.message_ttl, loaded.time_limit) == (3600, 90)
    file.write_text("HEAT_CONFIG_MESSAGE_TTL=5\n")
    assert cli.main(["run"]) == cli.BAD_SETTING
    assert "at least 60 and at most 1.2096e+06" in capsys.readouterr().err


def test_elements_path_is_the_folder_of_the_elements(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["elements-path"]) == 0
    assert Path(capsys.readouterr().out.strip(), "heat-config").is_dir()


def test_notify_without_anyone_waiting_is_fine(tmp_path: Path, stdin: Any) -> None:
    stdin(b'{"deploy_status_code": 0}')
    assert cli.notify([config(tmp_path, deploy_action="CREATE")]) == 0


def test_notify_says_when_a_result_was_not_accepted(
    tmp_path: Path, stdin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(b'{"deploy_status_code": 0}')
    assert cli.notify([config(tmp_path, deploy_queue_id="q")]) == 1
    error = capsys.readouterr().err
    assert "no usable input deploy_auth_url, deploy_user_id, deploy_password" in error


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"7"])
def test_notify_never_sends_what_heat_would_take_for_a_success(
    tmp_path: Path, stdin: Any, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(content)
    assert cli.notify([config(tmp_path, deploy_signal_id="http://127.0.0.1:1/")]) == 2
    assert "Nothing was sent" in capsys.readouterr().err


def test_notify_names_a_config_that_is_not_there(
    stdin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(b'{"a": 1}')
    assert cli.main(["notify", "/nonexistent/config.json"]) == 2
    assert "/nonexistent/config.json" in capsys.readouterr().err


def test_notify_has_a_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.notify([]) == 2
    assert "usage: heat-config-notify" in capsys.readouterr().err


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
    folder.mkdir()
    (folder / "c2.json").write_text("kept")
    assert cli.rebuild_deployed([]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["c1.json", "c2.json"]
    assert (folder / "c1.json").read_text() == ""
    assert (folder / "c2.json").read_text() == "kept"


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


def test_the_installed_package_brings_the_elements(tmp_path: Path) -> None:
    """The wheel's share folder stands in for the checkout's top folder."""
    package = tmp_path / "heat_config"
    shutil.copytree(REPOSITORY / "heat_config", package)
    (package / "share" / "elements").mkdir(parents=True)
    code = "from heat_config.cli import main; main(['elements-path'])"
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert found.stdout.strip() == str(package / "share" / "elements")
