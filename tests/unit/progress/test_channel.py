# SPDX-License-Identifier: Apache-2.0
"""What is said of a run and when, without a network and with a clock of the test's own."""

from __future__ import annotations

import json
import tracemalloc
from threading import Condition
from typing import Any

import pytest

from heat_config.progress import channel as channels
from heat_config.progress.channel import HELD, LASTING, PASSING, Channel
from heat_config.progress.message import ALIVE_EVERY, EVERY, LARGEST, SILENT_AFTER
from tests.support.clock import Clock

NEVER, NOW = float("inf"), float("-inf")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(channels, "time", made)
    return made


@pytest.fixture
def channel(clock: Clock) -> Channel:  # noqa: ARG001 - it must be there
    return Channel("c1", "address", lambda text: text.replace("secret", "***"), Condition())


def posted(channel: Channel) -> dict[str, Any]:
    """The next message, which is accepted."""
    body = channel.post().body
    channel.accepted()
    assert len(json.dumps(body)) <= LARGEST
    return body


def test_from_received_to_ended(channel: Channel, clock: Clock) -> None:
    clock.sleep(1)
    first = posted(channel)
    assert (first["phase"], first["seconds"], first["number"]) == ("received", 1.0, 0)
    assert channel.due() == NEVER

    channel.begun("script", 60)
    channel.take("one")
    assert channel.due() == clock.monotonic() + EVERY
    clock.sleep(2)
    second = posted(channel)
    found = (second["phase"], second["hook"], second["time_limit"], second["lines"])
    assert found == ("running", "script", 60, ["one"])
    assert (second["seconds"], second["number"], second["run"]) == (2.0, 1, first["run"])

    channel.take("two")
    channel.take("three")
    clock.sleep(3)
    channel.pause()
    assert channel.due() == NEVER
    clock.sleep(20)  # the result is sent
    channel.ended("0", "delivered")
    assert channel.due() == NOW
    last = posted(channel)
    assert (last["phase"], last["seconds"], last["lines"]) == ("ended", 5.0, ["two", "three"])
    assert (last["status_code"], last["signal"]) == ("0", "delivered")
    assert channel.is_closed
    assert channel.due() == NEVER


def test_there_is_one_message_in_two_seconds_and_one_in_thirty_of_a_silent_run(
    channel: Channel, clock: Clock
) -> None:
    channel.begun("script", 60)
    posted(channel)
    began = clock.monotonic()
    assert channel.due() == began + ALIVE_EVERY
    assert SILENT_AFTER > 2 * ALIVE_EVERY
    channel.take("a line")
    assert channel.due() == began + EVERY
    clock.sleep(EVERY)
    assert posted(channel)["lines"] == ["a line"]
    assert channel.due() == clock.monotonic() + ALIVE_EVERY
    clock.sleep(ALIVE_EVERY)
    assert posted(channel)["lines"] == []


def test_a_message_that_was_not_accepted_is_the_same_again(channel: Channel) -> None:
    channel.begun("script", 60)
    channel.take("one")
    before = channel.post()
    channel.take("two")
    channel.ended("0", "pending")
    assert channel.due() == NOW
    assert channel.post() == before
    channel.accepted()
    assert not channel.is_closed
    assert posted(channel)["lines"] == ["two"]


@pytest.mark.parametrize("at_once", [1, 7, 1500])
def test_all_lines_come_once_and_in_order(channel: Channel, at_once: int) -> None:
    lines = [f"line {number} \u2603" for number in range(3000)]
    channel.begun("script", 60)
    for start in range(0, len(lines), at_once):
        channel.take("\n".join(lines[start : start + at_once]))
    found: list[str] = []
    while len(found) < len(lines):
        body = posted(channel)
        assert body["left_out"] == 0
        found += body["lines"]
    assert found == lines


@pytest.mark.parametrize("at_once", [1, 50])
def test_of_too_much_the_oldest_give_way_and_are_counted(channel: Channel, at_once: int) -> None:
    """100 MB in bounded memory; each line is shown or counted."""
    channel.begun("script", 60)
    line = "x" * 999
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for start in range(0, 100_000, at_once):
        channel.take("\n".join(f"{line}{number}" for number in range(start, start + at_once)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most - before < 4 * HELD
    body = posted(channel)
    shown, left_out = len(body["lines"]), body["left_out"]
    assert body["lines"][0] == line + str(left_out)
    channel.ended("0", "delivered")
    last = posted(channel)
    assert last["lines"][-1] == line + "99999"
    assert shown + left_out + len(last["lines"]) + last["left_out"] == 100_000


@pytest.mark.parametrize("lines", ["", "\n\n", "a\n\nb"])
def test_empty_lines_are_lines(channel: Channel, lines: str) -> None:
    channel.begun("script", 60)
    channel.take(lines)
    assert posted(channel)["lines"] == lines.split("\n")
    channel.take(lines)
    channel.ended("0", "none")
    assert posted(channel)["lines"] == lines.split("\n")


def test_lines_are_masked_before_they_are_cut(channel: Channel) -> None:
    channel.begun("secret", 60)
    channel.take("x" * 4090 + "secret")
    channel.take("the secret")
    body = posted(channel)
    assert "secret" not in json.dumps(body)
    assert body["lines"] == ["x" * 4090 + "***", "the ***"]


def test_one_message_in_five_minutes_lives_for_a_day(channel: Channel, clock: Clock) -> None:
    lives = [channel.post().ttl]
    channel.accepted()
    channel.begun("script", 60)
    for _ in range(22):
        lives.append(channel.post().ttl)
        channel.accepted()
        clock.sleep(ALIVE_EVERY)
    channel.ended("0", "delivered")
    lives.append(channel.post().ttl)
    ten = [LASTING, *[PASSING] * 9]
    assert lives == [LASTING, *ten, *ten, LASTING, PASSING, LASTING]


def test_what_nobody_takes_is_not_kept(channel: Channel) -> None:
    channel.begun("script", 60)
    channel.close()
    channel.take("one")
    channel.ended("0", "delivered")
    assert (channel.due(), channel.is_ending) == (NEVER, False)
