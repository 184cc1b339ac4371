# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from heat_config import cli, deployment, waiting
from heat_config.commands import log
from heat_config.result import Result
from heat_config.run import runlog
from heat_config.run.store import Begun, Store
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
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
    written = runlog.RunLog(path, 40)
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


def test_a_run_is_followed_from_before_it_begins_through_a_restart_of_the_agent(
    path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    item = script("x")
    Path(settings.config_file).write_text(json.dumps([item]))
    store = Store(settings)
    locks = ExitStack()
    logs: list[runlog.RunLog] = []

    def it_begins() -> None:
        locks.enter_context(store.locked())
        store.begin(deployment.read(item), Begun())
        logs.append(runlog.RunLog(path, 1 << 20))
        logs[-1].write(f"run {len(logs)}")

    def the_agent_is_killed() -> None:
        logs[-1].write("and on")
        locks.close()

    def it_ends() -> None:
        logs[-1].write("the end")
        store.end("c1", Result(0))
        locks.close()

    def nothing_happens() -> None:
        pass

    restart = the_agent_is_killed, nothing_happens, nothing_happens
    steps = iter((nothing_happens, it_begins, *restart, it_begins, it_ends))
    monkeypatch.setattr(time, "sleep", lambda _: next(steps)())
    assert cli.main(["log", "-f", "c1"]) == 0
    assert next(steps, None) is None
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["run 1", "and on", "run 2", "the end"]
    assert shown.err.splitlines() == [
        "heat-config: c1 has not begun; waiting",
        "heat-config: the run of c1 was cut; waiting until the agent takes it up again",
    ]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``heat-config`` in a process of its own."""
    started: list[subprocess.Popen[str]] = []
    program = "import sys; from heat_config.cli import main; sys.exit(main(sys.argv[1:]))"

    def begin(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-c", program, *arguments]
        process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_an_agent_that_is_killed_ends_no_follower(
    settings: Settings, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    text = f"echo begun; until [ -e {tmp_path}/go-on ]; do sleep 0.05; done; echo the end"
    item = script(text, options={"interrupted": "rerun"})
    Path(settings.config_file).write_text(json.dumps([item]))
    follower = start("log", "-f", "c1")
    assert follower.stdout and follower.stderr
    assert follower.stderr.readline() == "heat-config: c1 has not begun; waiting\n"
    agent = start("run")
    assert follower.stdout.readline() == "begun\n"
    agent.kill()
    assert "was cut; waiting" in follower.stderr.readline()
    agent = start("run")
    assert follower.stdout.readline() == "begun\n"
    (tmp_path / "go-on").touch()
    assert follower.stdout.readline() == "the end\n"
    assert (follower.wait(), agent.wait()) == (0, 0)


def test_what_was_collected_and_waits_is_followed_too(
    path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(settings.config_file).write_text("[]")
    waiting.note(settings, ["zaqar"], {"c1": ("x", "script")})

    def it_is_not_asked_for_any_more(_: float) -> None:
        path.write_text("so far\n")
        waiting.clear(settings)

    monkeypatch.setattr(time, "sleep", it_is_not_asked_for_any_more)
    assert cli.main(["log", "-f", "c1"]) == 0


def test_what_nobody_asks_for_is_not_waited_for(
    path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(settings.config_file).write_text("[]")
    monkeypatch.setattr(time, "sleep", None)
    assert cli.main(["log", "-f", "c1"]) == 1
    path.mkdir()
    assert cli.main(["log", "c1"]) == 1
