# SPDX-License-Identifier: Apache-2.0
"""The command line: usage, what needs no server, and what becomes of a fault."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heat_config import __version__, cli, commands
from heat_config.commands import line
from heat_config.run import loop
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY


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


def test_elements_path_is_the_folder_of_the_elements(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["elements-path"]) == 0
    assert Path(capsys.readouterr().out.strip(), "heat-config").is_dir()


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


def test_a_fault_of_the_program_is_not_taken_for_what_a_command_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python's own exit status 1 is "has failed" and "some is left" to scripts and systemd."""

    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(loop, "deliver", broken)
    assert cli.main(["deliver", "--due"]) == line.BROKEN
    assert "RuntimeError: unexpected" in capsys.readouterr().err


def test_each_option_reaches_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def noted(_: object, **options: object) -> int:
        seen.append(options)
        return 2

    def kept(given: Settings, *, force: str | None) -> int:
        return noted(given, force=force, keep=given.keep_of)

    monkeypatch.setattr(loop, "run", kept)
    monkeypatch.setattr(loop, "deliver", noted)
    assert line.main(["run"]) == line.main(["run", "--force", "c1"]) == 2
    assert line.main(["run", "--keep", "c1"]) == 2
    assert line.main(["deliver"]) == line.main(["deliver", "--due"]) == 2
    assert seen == [
        {"force": None, "keep": None},
        {"force": "c1", "keep": None},
        {"force": "c1", "keep": "c1"},
        {"due_only": False},
        {"due_only": True},
    ]


def test_joining_without_the_service_s_packages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    imported = ("heat_config.collect", "heat_config.commands.join")
    for name in [each for each in sys.modules if each.startswith(imported)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(commands, "join", raising=False)
    monkeypatch.setitem(sys.modules, "oslo_config", None)
    assert cli.main(["join", "server.json"]) == loop.FAILED
    assert "join needs oslo_config: pip install 'heat-config[server]'" in capsys.readouterr().err
