# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import process
from lab.process import Process


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as started:
        yield started
        started.kill()


def known(pid: int) -> Process:
    return Process("service", pid, process.start_time(pid) or 0, process.boot_id())


def launch(tmp_path: Path, *command: str, **options: object) -> tuple[Process, Path]:
    """Launch a program; return what was recorded of it, and its log."""
    recorded: list[Process] = []
    log = tmp_path / "service.log"
    fixed = {"environment": {"PATH": os.environ["PATH"]}, "record": recorded.append}
    process.launch(
        "service",
        command,
        log=log,
        directory=tmp_path,
        **{**fixed, **options},  # type: ignore[arg-type]
    )
    return recorded[0], log


def wait_for(path: Path, text: str) -> None:
    wait_until(lambda: text in path.read_text())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_is_known_again(child: subprocess.Popen[bytes]) -> None:
    assert known(child.pid).alive()
    assert known(os.getpid()).alive()


@pytest.mark.parametrize("change", [{"start_time": 1}, {"boot_id": "another"}])
def test_a_reused_pid_is_another_process(
    child: subprocess.Popen[bytes], tmp_path: Path, change: dict[str, object]
) -> None:
    other = dataclasses.replace(known(child.pid), **change)  # type: ignore[arg-type]
    assert not other.alive()
    process.stop([other], tmp_path)
    assert child.poll() is None


def test_a_zombie_is_dead(child: subprocess.Popen[bytes]) -> None:
    service = known(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not service.alive())
    assert Path(f"/proc/{child.pid}").exists(), "nobody has waited for it"


def test_a_name_with_brackets_and_spaces_is_no_trouble(tmp_path: Path) -> None:
    program = tmp_path / "a) b (c"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as odd:
        assert known(odd.pid).alive()
        odd.kill()


def test_a_service_is_recorded_before_it_starts(tmp_path: Path) -> None:
    service, log = launch(tmp_path, "sh", "-c", "echo $$ is up; exec sleep 60")
    wait_for(log, f"{service.pid} is up")
    assert service.alive()
    process.stop([service], tmp_path)
    assert not service.alive()


def test_a_service_whose_record_fails_never_starts(tmp_path: Path) -> None:
    recorded = []

    def fail(service: Process) -> None:
        recorded.append(service)
        raise OSError("disk full")

    command = ["sh", "-c", "echo it has started"]
    service, log = launch(tmp_path, *command)
    wait_for(log, "it has started")
    process.stop([service], tmp_path)
    log.unlink()
    with pytest.raises(OSError, match="disk full"):
        launch(tmp_path, *command, record=fail)
    (service,) = recorded
    wait_until(lambda: not service.alive())
    assert not log.exists() or log.read_text() == ""


def test_what_ignores_term_is_killed(tmp_path: Path) -> None:
    service, log = launch(tmp_path, "sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done")
    wait_for(log, "up")
    process.stop([service], tmp_path, seconds=0.2)
    assert not service.alive()


def test_children_that_outlive_the_service_are_ended(tmp_path: Path) -> None:
    service, log = launch(tmp_path, "sh", "-c", "sleep 60 & echo child $!; wait")
    wait_for(log, "child")
    orphan = known(int(log.read_text().split()[1]))
    os.kill(service.pid, signal.SIGKILL)
    assert orphan.alive()
    process.stop([service], tmp_path)
    assert not orphan.alive()


def test_who_runs_as_another_user_is_told_so() -> None:
    assert process.as_user("") == []
    assert "--reuid=nobody" in process.as_user("nobody")
