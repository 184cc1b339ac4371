# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal

import pytest

from heat_config import process


def sh(text: str, **options: object) -> process.Completed:
    return process.run(["/bin/sh", "-c", text], **options)  # type: ignore[arg-type]


def test_streams_and_status_are_taken_down() -> None:
    assert sh("cat; echo err >&2; exit 3", stdin=b"in") == (3, b"in", b"err\n")


def test_lines_are_handed_on_the_last_one_too() -> None:
    lines: list[str] = []
    sh(r"printf 'a\nb\377\nend'", on_stdout=lines.append)
    assert lines == ["a", "b\ufffd", "end"]


def test_more_than_a_pipe_holds_is_read_whole() -> None:
    completed = sh("head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2")
    assert (len(completed.stdout), len(completed.stderr)) == (3_000_000, 2_000_000)


def test_more_input_than_a_pipe_holds_is_given() -> None:
    assert sh("exec wc -c", stdin=b"x" * 500_000).stdout.split() == [b"500000"]


def test_a_long_line_is_handed_on_in_pieces() -> None:
    lines: list[str] = []
    sh("head -c 300000 /dev/zero | tr '\\0' x", on_stdout=lines.append)
    assert "".join(lines) == "x" * 300_000
    assert len(lines) > 1


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
