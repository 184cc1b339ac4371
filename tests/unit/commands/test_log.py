# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from pathlib import Path

import pytest

from heat_config import cli, deployment
from heat_config.commands import log
from heat_config.result import Result
from heat_config.run import runlog
from heat_config.run.store import Begun, Store
from heat_config.settings import Settings
from tests.support.deployments import script


@pytest.fixture
def path(settings: Settings) -> Path:
    found = runlog.path_of("c1", settings)
    found.parent.mkdir()
    return found


def test_an_operator_sees_the_whole_log(
    path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path.write_bytes(b"later \xff\n")
    runlog.older_part(path).write_bytes(b"earlier\n")
    assert cli.main(["log", "c1"]) == 0
    assert capsysbinary.readouterr().out == b"earlier\nlater \xff\n"


def test_a_run_without_a_log_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["log", "c7"]) == 1
    assert "no run of 'c7' has a log" in capsys.readouterr().err


@pytest.mark.parametrize("outside", ["../outside", "/outside", "logs/../../outside", "..", ""])
def test_an_id_does_not_lead_out_of_the_folder(
    path: Path, outside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (path.parent.parent / "outside.log").write_text("secret\n")
    assert cli.main(["log", outside]) == 1
    assert "secret" not in capsys.readouterr().out


def test_a_log_is_followed_until_the_run_has_ended(
    path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = runlog.RunLog(path, 40, str)
    written.write("one")

    def more(_: float) -> None:
        written.write("two, which fills the first part")
        written.write("three")

    going_on = iter([True, True, False])
    monkeypatch.setattr(log, "_goes_on", lambda *_: next(going_on))
    monkeypatch.setattr(time, "sleep", more)
    assert cli.main(["log", "-f", "c1"]) == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines == ["one", *["two, which fills the first part", "three"] * 2]


def test_a_log_of_a_run_that_has_ended_is_not_followed(
    path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("all of it\n")
    monkeypatch.setattr(time, "sleep", None)
    store = Store(settings)
    store.begin(deployment.read(script("x")), Begun())
    assert cli.main(["log", "-f", "c1"]) == 0  # nobody runs: it was cut
    with store.locked():
        store.end("c1", Result(0))
        assert cli.main(["log", "-f", "c1"]) == 0


def test_a_log_of_a_run_that_goes_on_is_followed(
    path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("so far\n")
    store = Store(settings)
    store.begin(deployment.read(script("x")), Begun())
    waited: list[float] = []

    def then_it_ends(seconds: float) -> None:
        waited.append(seconds)
        store.end("c1", Result(0))

    monkeypatch.setattr(time, "sleep", then_it_ends)
    with store.locked():
        assert cli.main(["log", "-f", "c1"]) == 0
    assert len(waited) == 1
