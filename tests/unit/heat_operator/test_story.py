# SPDX-License-Identifier: Apache-2.0
"""A deployment's progress as lines."""

from __future__ import annotations

from typing import Any

from heat_config.progress.message import SILENT_AFTER, Phase, Progress
from heat_operator.story import Story


def said(number: int, *lines: str, **more: Any) -> Progress:
    return Progress("c1", "r1", number, Phase.RUNNING, 1.0, "script", 60.0, lines=lines)._replace(
        **more
    )


def told(*all_said: Progress) -> list[str]:
    story = Story()
    return [line for each in all_said for line in story.told(each)]


RUNNING = "* running for 1 s, hook script, time limit 60 s"


def test_from_received_to_ended() -> None:
    ended = {"phase": Phase.ENDED, "status_code": "3", "signal": "delivered"}
    assert told(
        said(0, phase=Phase.RECEIVED), said(1, "one"), said(2, "two", "three"), said(3, **ended)
    ) == [
        "* received, waits for its turn",
        RUNNING,
        "| one",
        "| two",
        "| three",
        "* ended with status code 3 after 1.0 s, signal delivered",
    ]


def test_each_gap_is_where_it_is() -> None:
    first = said(4, "one")
    assert told(first, said(6, "two"), said(9, "three", left_out=1), said(10, left_out=20)) == [
        "* what came before is not there any more",
        RUNNING,
        "| one",
        "* 1 message is missing here",
        "| two",
        "* 2 messages are missing here",
        "* 1 line was left out here",
        "| three",
        "* 20 lines were left out here",
    ]


def test_a_run_that_is_taken_up_by_another_agent_says_so() -> None:
    lines = told(said(0, "one"), said(0, "two", run="r2"))
    assert lines == [RUNNING, "| one", "* the agent has begun anew", RUNNING, "| two"]


def test_what_comes_from_a_server_gives_no_orders_to_a_terminal() -> None:
    lines = told(said(0, "a\tb\x1b[2J\n* forged", hook="\x1b[31m"))
    assert lines == [
        r"* running for 1 s, hook \x1b[31m, time limit 60 s",
        "| a\tb\\x1b[2J\\n* forged",
    ]


def test_a_silence_is_said_once() -> None:
    story = Story()
    list(story.told(said(0)))
    assert list(story.silent(SILENT_AFTER, "12:00")) == []
    assert list(story.silent(SILENT_AFTER + 1, "12:00")) == ["* nothing heard since 12:00"]
    assert list(story.silent(SILENT_AFTER + 9, "12:00")) == []
    assert list(story.silent(1, "12:09")) == []
    assert list(story.silent(SILENT_AFTER + 1, "12:10")) == ["* nothing heard since 12:10"]
    list(story.told(said(1, phase=Phase.ENDED)))
    assert list(story.silent(1e6, "12:20")) == []
