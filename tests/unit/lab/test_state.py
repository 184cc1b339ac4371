# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab, LabError
from lab.__main__ import main
from lab.config import Settings
from lab.process import Process
from lab.state import State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_what_one_program_writes_another_reads(path: Path) -> None:
    settings = Settings.new(path.parent)
    written = State(path)
    written.begin(settings)
    written.add(Process("redis", 17, 4711, "boot"))
    written.fill({"identity": "http://127.0.0.1:1"})
    read = State(path)
    read.load()
    assert read.processes == [Process("redis", 17, 4711, "boot")]
    assert read.ports == settings.ports
    assert read.endpoints == {"identity": "http://127.0.0.1:1"}
    assert read.passwords["demo_password"] == settings.passwords["demo_password"]


def test_it_is_for_the_owner_alone_and_holds_no_service_password(path: Path) -> None:
    settings = Settings.new(path.parent)
    State(path).begin(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.passwords["heat_password"] not in path.read_text()


def test_a_process_is_on_disk_at_once(path: Path) -> None:
    State(path).add(Process("redis", 17, 4711, "boot"))
    read = State(path)
    read.load()
    assert [process.pid for process in read.processes] == [17]


def test_a_lab_of_another_version_can_be_taken_down(path: Path) -> None:
    process = '{"name": "redis", "pid": 17, "start_time": 4711, "boot_id": "boot"}'
    path.write_text(f'{{"processes": [{process}]}}')
    lab = Lab(path.parent)
    assert not lab.running
    lab.down()
    assert not path.exists()


def test_nothing_is_nothing(path: Path) -> None:
    state = State(path)
    state.load()
    assert state.processes == []
    with pytest.raises(LabError, match="python3 -m lab up"):
        state.need()


def test_forgotten_twice_is_forgotten(path: Path) -> None:
    state = State(path)
    state.add(Process("redis", 17, 4711, "boot"))
    state.forget()
    state.forget()
    assert not path.exists()


def test_a_lab_that_is_not_there(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "none")
    assert not lab.running
    assert lab.status() == []
    lab.down()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["status"], 1, "no lab is up"),
        (["env"], 1, "no lab is up"),
        (["down"], 0, ""),
        (["logs", "nova"], 1, "there are: redis"),
        (["logs", "heat"], 0, "heat.log"),
    ],
)
def test_commands_without_a_lab(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    assert main(["--directory", str(tmp_path / "none"), *arguments]) == status
    captured = capsys.readouterr()
    assert words in captured.out + captured.err
