# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config import files
from heat_config.run import runlog
from heat_config.run.runlog import Logs
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script

# Resident bytes that the agent may have, whatever a config prints.
MOST_MEMORY = 100e6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c1.log"


def fill(path: Path, size: int, age: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))


def test_a_line_is_on_disk_as_soon_as_it_is_written(path: Path) -> None:
    written = runlog.RunLog(path, 1000)
    written.write("first")
    assert path.read_text() == "first\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_run_begins_a_new_log(path: Path) -> None:
    for name in (path, runlog.older_part(path)):
        name.write_text("of the last run")
    runlog.RunLog(path, 1000).write("new")
    assert path.read_text() == "new\n"
    assert not runlog.older_part(path).exists()


def test_of_a_long_log_the_later_part_is_kept(path: Path) -> None:
    written = runlog.RunLog(path, 10_000)
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
    written = runlog.RunLog(path, 1000)
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


def test_a_log_that_cannot_be_made_is_said_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "write_private", cannot)
    written = runlog.RunLog(path, 1000)
    for _ in range(3):
        written.write("lost")
    written.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path} is not complete" in line
    assert "No space left on device" in line


def test_a_disk_that_fills_up_between_two_parts_loses_lines(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = runlog.RunLog(path, 1000)
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
    path = runlog.path_of("c1", settings)
    written = runlog.RunLog(path, 1000)
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


@pytest.fixture
def logs(settings: Settings) -> Logs:
    return Logs(settings)


def names(settings: Settings) -> list[str]:
    return sorted(path.name for path in Path(settings.logs).iterdir())


def test_the_oldest_logs_go_first(logs: Logs, settings: Settings) -> None:
    for number in range(5):
        fill(Path(settings.logs, f"c{number}.log"), 100, age=number)
    logs.prune([], size=250)
    assert names(settings) == ["c0.log", "c1.log"]


def test_all_together_have_the_size_that_is_set(settings: Settings) -> None:
    for number in range(5):
        fill(Path(settings.logs, f"c{number}.log"), 100, age=number)
    Logs(settings._replace(logs_size=400)).prune([])
    assert names(settings) == [f"c{number}.log" for number in range(4)]


def test_logs_of_what_is_pending_stay(logs: Logs, settings: Settings) -> None:
    for name in ("new.log", "old.log", "old.log.1", "a.log.b.log"):
        fill(Path(settings.logs, name), 100, age=0 if name == "new.log" else 9)
    logs.prune(["old", "a.log.b"], size=0)
    assert names(settings) == ["a.log.b.log", "old.log", "old.log.1"]


def test_there_may_be_no_logs_yet(logs: Logs, settings: Settings) -> None:
    logs.prune([], size=0)
    assert not Path(settings.logs).exists()


def test_other_files_are_left_alone(logs: Logs, settings: Settings) -> None:
    for name in ("c1.log", "notes.txt", "c1.logs"):
        fill(Path(settings.logs, name), 100, age=1)
    logs.prune([], size=0)
    assert names(settings) == ["c1.logs", "notes.txt"]


def test_one_that_cannot_be_removed_does_not_keep_the_others(
    logs: Logs,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(3):
        fill(Path(settings.logs, f"c{number}.log"), 100, age=number)
    unlink = Path.unlink

    def immutable(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "c2.log":
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", immutable)
    logs.prune([], size=100)
    assert names(settings) == ["c2.log"]
    assert "c2.log: Operation not permitted" in capsys.readouterr().err


def test_one_that_is_gone_in_the_middle_of_it_is_none(
    logs: Logs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(Path(settings.logs, "c1.log"), 100, age=1)
    gone = Path(settings.logs, "c0.log")
    monkeypatch.setattr(Path, "glob", lambda *_: iter([gone, Path(settings.logs, "c1.log")]))
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    logs.prune([], size=0)
    assert names(settings) == []


def test_while_logs_are_small_nobody_looks_at_all_of_them(
    logs: Logs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else many deployments would take a time that grows with the square of their number."""
    looked: list[object] = []

    def glob(*of: object) -> Iterator[Path]:
        looked.append(of)
        return iter(())

    monkeypatch.setattr(Path, "glob", glob)
    for number in range(50):
        fill(Path(settings.logs, f"c{number}.log"), 100, age=0)
        logs.prune_when_large(f"c{number}", list)
    assert looked == []


def test_runs_that_log_much_are_pruned_between_them(settings: Settings) -> None:
    logs = Logs(settings._replace(logs_size=1000))
    for number in range(20):
        fill(Path(settings.logs, f"c{number}.log"), 240, age=20 - number)
        logs.prune_when_large(f"c{number}", lambda: ["c0"])
        assert sum(path.stat().st_size for path in Path(settings.logs).iterdir()) <= 1250
    assert "c0.log" in names(settings)


def test_a_run_without_a_log_adds_nothing(logs: Logs) -> None:
    logs.prune_when_large("c1", list)


def test_a_run_of_the_agent_prunes_once(deploy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pruned: list[object] = []
    monkeypatch.setattr(Logs, "prune", lambda _, keep: pruned.append(keep))
    deploy(*(script("true", config_id=f"c{number}", group="none") for number in range(20)))
    assert pruned == [[]]


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
