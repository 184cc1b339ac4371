# SPDX-License-Identifier: Apache-2.0
"""The demo's view of a server's console: a file that grows, and begins anew with a reboot."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.console import Console


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "instance" / "console.log"
    path.parent.mkdir()
    return path


@pytest.fixture
def console(tmp_path: Path) -> Console:
    found = Console(tmp_path)
    found.belongs_to("instance")
    return found


def texts(console: Console) -> list[str]:
    console.look()
    return [line.text for line in console.lines]


def test_a_line_is_taken_in_when_it_is_whole(console: Console, log: Path) -> None:
    assert texts(console) == []
    log.write_text("one\r\ntw")
    assert texts(console) == ["one"]
    log.write_text("one\r\ntwo\r\n")
    assert texts(console) == ["one", "two"]


def test_a_file_that_became_shorter_is_read_from_its_beginning(console: Console, log: Path) -> None:
    log.write_text("before the reboot\ncut off")
    assert texts(console) == ["before the reboot"]
    log.write_text("after it\n")
    assert texts(console) == ["before the reboot", "after it"]


def test_what_was_seen_before_a_moment_does_not_count_after_it(console: Console, log: Path) -> None:
    log.write_text("[I] running greeting (script)\n")
    assert console.has("greeting", since=0)
    (line,) = console.lines
    assert [event.time for event in console.events(since=0)] == [line.time]
    later = line.time + 1
    assert not console.has("greeting", since=later)
    assert console.events(since=later) == []


def test_the_tail_is_the_last_lines(console: Console, log: Path) -> None:
    log.write_text("".join(f"{number}\n" for number in range(50)))
    assert console.tail(2) == ["48", "49"]
