# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli, files
from heat_config.commands import log as follow
from heat_config.run import answering, runlog
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script

# Resident bytes that the agent may have, whatever a config prints.
MOST_MEMORY = 100e6


def plain(text: str) -> str:
    return text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c1.log"


def fill(path: Path, size: int, age: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))


def test_a_line_is_on_disk_as_soon_as_it_is_written(path: Path) -> None:
    written = runlog.RunLog(path, 1000, plain)
    written.write("first")
    assert path.read_text() == "first\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_lines_are_masked(path: Path) -> None:
    written = runlog.RunLog(path, 1000, lambda line: line.replace("hunter22", "***"))
    written.write("the password is hunter22")
    assert path.read_text() == "the password is ***\n"


def test_a_new_run_begins_a_new_log(path: Path) -> None:
    for name in (path, runlog.older_part(path)):
        name.write_text("of the last run")
    runlog.RunLog(path, 1000, plain).write("new")
    assert path.read_text() == "new\n"
    assert not runlog.older_part(path).exists()


def test_of_a_long_log_the_later_part_is_kept(path: Path) -> None:
    written = runlog.RunLog(path, 10_000, plain)
    for number in range(3000):
        written.write(f"line {number}")
    kept = runlog.older_part(path).read_text() + path.read_text()
    numbers = [int(line.split()[1]) for line in kept.splitlines()]
    assert numbers == list(range(numbers[0], 3000))
    assert 4_000 < len(kept) <= 10_200


def test_the_end_of_a_log(path: Path) -> None:
    path.write_bytes(b"x" * 100 + "end é".encode())
    assert runlog.tail(path, 6) == "end é"
    assert runlog.tail(path, 1) in ("", "\ufffd")
    assert runlog.tail(path.with_name("none"), 10) == ""


def test_the_end_of_a_log_that_was_just_cut_in_two(path: Path) -> None:
    written = runlog.RunLog(path, 1000, plain)
    number = 0
    while not runlog.older_part(path).exists():
        written.write(f"line {number}")
        number += 1
    assert runlog.tail(path, 100).endswith(f"line {number - 2}\nline {number - 1}\n")
    written.write("the last")
    assert runlog.tail(path, 100).endswith(f"line {number - 1}\nthe last\n")
    assert len(runlog.tail(path, 100)) == 100


def cannot(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_made_is_told_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "write_private", cannot)
    written = runlog.RunLog(path, 1000, plain)
    for _ in range(3):
        written.write("lost")
    written.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path} is not complete" in line
    assert "No space left on device" in line


def test_a_disk_that_fills_up_between_two_parts_loses_lines(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = runlog.RunLog(path, 1000, plain)
    with monkeypatch.context() as full_disk:
        full_disk.setattr(files, "write_private", cannot)
        for line in ("x" * 600, "lost"):
            written.write(line)
    written.write("there is room again")
    written.close()
    assert runlog.older_part(path).read_text() == "x" * 600 + "\n"
    assert path.read_text() == "there is room again\n"
    assert "is not complete" in capsys.readouterr().err


def test_a_disk_that_is_full_loses_lines_and_not_the_run(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """/dev/full stands in for the log's disk."""
    path = answering.log_path("c1", settings)
    written = runlog.RunLog(path, 1000, plain)
    written.close()
    written._file = io.FileIO("/dev/full", "a")
    for _ in range(3):
        written.write("lost")
    written.close()
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_log_that_cannot_be_written_is_no_reason_to_fail(
    deploy: Any, answer: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    Path(settings.logs).write_text("a file where the folder should be")
    deploy(script("echo done"))
    assert answer("c1")["deploy_stdout"] == "done\n"


def test_the_oldest_logs_go_first(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for number in range(5):
        fill(logs / f"c{number}.log", 100, age=number)
    runlog.prune(str(logs), 250, set())
    assert sorted(path.name for path in logs.iterdir()) == ["c0.log", "c1.log"]


def test_logs_of_what_is_owed_stay(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for name in ("new.log", "old.log", "old.log.1", "a.log.b.log"):
        fill(logs / name, 100, age=0 if name == "new.log" else 9)
    runlog.prune(str(logs), 0, {"old", "a.log.b"})
    assert sorted(path.name for path in logs.iterdir()) == ["a.log.b.log", "old.log", "old.log.1"]


def test_there_may_be_no_logs_yet(tmp_path: Path) -> None:
    runlog.prune(str(tmp_path / "none"), 0, set())


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("c1.log", "notes.txt", "c1.logs"):
        fill(tmp_path / name, 100, age=1)
    runlog.prune(str(tmp_path), 0, set())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c1.logs", "notes.txt"]


def test_an_operator_sees_the_whole_log(
    settings: Settings, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = answering.log_path("c1", settings)
    path.parent.mkdir()
    path.write_bytes(b"later \xff\n")
    runlog.older_part(path).write_bytes(b"earlier\n")
    assert cli.main(["log", "c1"]) == 0
    assert capsysbinary.readouterr().out == b"earlier\nlater \xff\n"


def test_a_run_without_a_log_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["log", "c7"]) == 1
    assert "no run of 'c7' has a log" in capsys.readouterr().err


def test_a_log_is_followed_until_the_run_has_ended(
    settings: Settings,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = answering.log_path("c1", settings)
    path.parent.mkdir()
    written = runlog.RunLog(path, 40, plain)
    written.write("one")

    def more(_: float) -> None:
        written.write("two, which fills the first part")
        written.write("three")

    going_on = iter([True, True, False])
    monkeypatch.setattr(follow, "_goes_on", lambda *_: next(going_on))
    monkeypatch.setattr(time, "sleep", more)
    assert cli.main(["log", "-f", "c1"]) == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines == ["one", *["two, which fills the first part", "three"] * 2]


def test_a_gibibyte_of_output_takes_no_memory(settings: Settings) -> None:
    """What the kernel has seen: of the agent, and of the largest of its children."""
    line = "x" * 65_000
    text = f"#!/bin/sh\nyes {line} | head -c 1073741824; echo; echo the end; exit 3"
    Path(settings.config_file).write_text(json.dumps([script(text)]))
    program = "\n".join(
        [
            "import resource",
            "from heat_config.cli import main",
            "main(['run'])",
            "own = open('/proc/self/status').read().split('VmHWM:')[1].split()[0]",
            "print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    agent, children = (int(kib) * 1024 for kib in done.stdout.split())
    assert agent < MOST_MEMORY
    assert children < MOST_MEMORY
    result = json.loads(Path(settings.deployed, "c1.notify.json").read_text())
    assert result["deploy_status_code"] == 3
    assert result["deploy_stdout"].endswith(f"{line[:1000]}\nthe end\n")
    logs = [path.stat().st_size for path in Path(settings.logs).iterdir()]
    assert 0 < sum(logs) <= settings.logs_size // 4 + 200_000
