# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from heat_config import log, process
from tests.support.overdue import LIMIT, run_overdue


def sh(text: str, **options: object) -> process.Completed:
    return process.run(["/bin/sh", "-c", text], **options)  # type: ignore[arg-type]


def test_streams_and_status_are_taken_down() -> None:
    assert sh("cat; echo err >&2; exit 3", stdin=b"in") == (3, b"in", b"err\n", 0, 0, None, False)


def test_lines_are_handed_on_the_last_one_too() -> None:
    lines: list[str] = []
    sh(r"printf 'a\nb\377\nend'", on_stdout=lines.append)
    assert lines == ["a\nb\ufffd", "end"]


def test_what_a_line_costs_does_not_grow_with_their_number() -> None:
    """They are handed on together, as many as were read at once."""
    texts: list[str] = []
    sh("seq 200000", on_stdout=texts.append)
    assert "\n".join(texts).split("\n") == [str(number) for number in range(1, 200_001)]
    assert len(texts) < 200_000 / 100


def test_a_line_is_handed_on_before_the_next_is_there(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    lines: list[str] = []

    def take(text: str) -> None:
        lines.append(text)
        seen.touch()

    sh(f"echo one; until [ -e {seen} ]; do sleep 0.01; done; echo two", on_stdout=take)
    assert lines == ["one", "two"]


def test_more_than_a_pipe_holds_is_read_whole() -> None:
    completed = sh("head -c 1500000 /dev/zero; head -c 2000000 /dev/zero >&2")
    assert (len(completed.stdout), len(completed.stderr)) == (1_500_000, 2_000_000)


def test_more_input_than_a_pipe_holds_is_given() -> None:
    assert sh("exec wc -c", stdin=b"x" * 500_000).stdout.split() == [b"500000"]


def test_a_long_line_is_handed_on_in_pieces() -> None:
    lines: list[str] = []
    sh("head -c 300000 /dev/zero | tr '\\0' x", on_stdout=lines.append)
    assert "".join(lines) == "x" * 300_000
    assert len(lines) > 1


@pytest.mark.parametrize("before", [65_535, 65_530, 131_071, 200_000])
def test_no_piece_of_a_long_line_ends_within_a_secret(before: int) -> None:
    lines: list[str] = []
    log.conceal(["s3cret", "yyyyz"])
    sh(
        f"head -c {before} /dev/zero | tr '\\0' x; printf s3cret; sleep 0.05;"
        " head -c 90000 /dev/zero | tr '\\0' y",
        on_stdout=lines.append,
    )
    assert "".join(lines) == "x" * before + "s3cret" + "y" * 90_000
    assert len(lines) > 1
    assert [line.count("s3cret") for line in lines if "s" in line] == [1]


def test_a_service_left_in_the_background_does_not_hold_up_the_caller() -> None:
    completed = sh("sleep 60 & echo $!")
    os.kill(int(completed.stdout), signal.SIGKILL)  # it was still running
    assert completed.returncode == 0


def test_a_signal_is_reported_as_a_shell_does() -> None:
    completed = sh("kill -9 $$")
    assert (completed.returncode, completed.status) == (-9, 137)
    assert completed.ending == "was killed by SIGKILL"


def test_an_exit_status_is_named() -> None:
    assert sh("exit 4").ending == "ended with exit status 4"


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        process.run(["/nonexistent/program"])


def test_of_a_large_output_the_end_is_kept_and_all_of_it_handed_on() -> None:
    handed_on = 0

    def count(line: str) -> None:
        nonlocal handed_on
        handed_on += len(line) + 1

    completed = sh("yes 0123456 | head -c 80000000; echo end", on_stdout=count)
    assert completed.stdout.endswith(b"0123456\nend\n")
    assert process.KEPT <= len(completed.stdout) <= process.KEPT + process.LONGEST_LINE
    assert completed.stdout_dropped + len(completed.stdout) == handed_on == 80_000_004


def test_a_program_that_takes_too_long_is_ended_with_its_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "trap 'echo asked to end; exit 0' TERM; sleep 300 & echo $!; wait"
    completed = run_overdue(text, monkeypatch)
    first, second = completed.stdout.decode().splitlines()
    assert second == "asked to end"
    assert completed.status == process.TIMED_OUT
    assert completed.ending == f"was ended: it took longer than its time limit of {LIMIT:g} s"
    assert ends(int(first))


def test_a_program_that_will_not_end_is_made_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.2)
    completed = run_overdue("trap '' TERM; echo up; while :; do sleep 1; done", monkeypatch)
    assert completed.returncode == -signal.SIGKILL
    assert completed.status == process.TIMED_OUT


@pytest.mark.parametrize("limit", [60, 2_147_484, 1e12])
def test_a_time_limit_that_is_kept_changes_nothing(limit: float) -> None:
    assert sh("echo x", time_limit=limit) == (0, b"x\n", b"", 0, 0, None, False)


def test_a_time_limit_is_waited_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes no more than 24 days."""
    monkeypatch.setattr(process, "_AT_ONCE", 0.05)
    completed = sh("sleep 300", time_limit=0.3)
    assert completed.status == process.TIMED_OUT


def ends(pid: int) -> bool:
    """Whether a process that was asked to end has ended; the kernel may take a moment."""
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("time_limit", [None, 60])
def test_a_program_that_is_cancelled_is_ended_with_its_group(
    monkeypatch: pytest.MonkeyPatch, time_limit: float | None
) -> None:
    monkeypatch.setattr(process, "ASK_EVERY", 0.01)
    said: list[str] = []
    completed = sh(
        "sleep 300 & echo $!; wait",
        time_limit=time_limit,
        on_stdout=said.append,
        cancelled=lambda: bool(said),  # not before it has begun
    )
    assert (completed.cancelled, completed.time_limit) == (True, None)
    assert (completed.status, completed.ending) == (125, "was ended: its config was cancelled")
    assert ends(int(completed.stdout))


def test_what_is_never_cancelled_has_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ASK_EVERY", 0.01)
    completed = sh("sleep 300", time_limit=0.05, cancelled=lambda: False)
    assert (completed.cancelled, completed.status) == (False, process.TIMED_OUT)
