# SPDX-License-Identifier: Apache-2.0
"""A notify program of the operator's own on PATH."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli
from heat_config.settings import Settings
from heat_config.signals.own import NAME, with_own_program
from tests.support.deployments import script, to

OURS = "#!/venv/bin/python3\nimport sys\nfrom heat_config.cli import notify\nsys.exit(notify())\n"
HEAT_AGENTS = "#!/usr/bin/env python3\nlog = logging.getLogger('heat-config-notify')\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def installed(folder: Path, text: str) -> str:
    path = folder / NAME
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_one_of_the_operators_is_used(programs: Path, settings: Settings) -> None:
    path = installed(programs, "#!/bin/sh\nexec curl\n")

    assert with_own_program(settings).notify == path


@pytest.mark.parametrize("text", [OURS, HEAT_AGENTS])
def test_neither_ours_nor_heat_agents_is_one(programs: Path, settings: Settings, text: str) -> None:
    installed(programs, text)

    assert with_own_program(settings).notify is None


def test_of_heat_agents_own_it_is_said_how_to_use_it_all_the_same(
    programs: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = installed(programs, HEAT_AGENTS)

    with_own_program(settings)

    assert f"HEAT_CONFIG_NOTIFY={path}" in capsys.readouterr().err


def test_one_that_is_named_is_used_before_any_on_path(programs: Path, settings: Settings) -> None:
    installed(programs, "#!/bin/sh\n")

    assert with_own_program(settings._replace(notify="/own")).notify == "/own"


@pytest.mark.parametrize("command", [["run"], ["run", "--force", "c1"]])
def test_a_run_sends_its_result_by_it(
    programs: Path, settings: Settings, tmp_path: Path, command: list[str], inbox: Any
) -> None:
    installed(programs, f"#!/bin/sh\ncat > {tmp_path}/sent\n")
    Path(settings.config_file).write_text(json.dumps([script("echo hi", inputs=to(inbox.url))]))

    assert cli.main(command) == 0

    assert json.loads((tmp_path / "sent").read_text())["deploy_stdout"] == "hi\n"
    assert inbox.received == []
