# SPDX-License-Identifier: Apache-2.0
"""A message of progress, written and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heat_config.progress import message
from heat_config.progress.message import LARGEST, Phase, Progress

SAID = Progress("c1", "0123", 4, Phase.RUNNING, 1.5, "script", 60.0, 7, ("one", "\u2603"))


def test_what_is_written_is_read_again() -> None:
    written = json.loads(json.dumps(message.body(SAID)))
    assert message.read(written) == SAID
    assert message.read({**written, "of_a_newer_version": {}, "heat_progress": 2}) == SAID


@pytest.mark.parametrize(
    "wrong",
    [
        {"heat_progress": None},
        {"heat_progress": "1"},
        {"phase": "gone"},
        {"phase": []},
        {"number": True},
        {"number": "1"},
        {"seconds": None},
        {"lines": "text"},
        {"lines": ["text", 1]},
        {"run": 1},
        {"number": -1},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": 1e300},
        {"time_limit": -1},
        {"left_out": 10**400},
        {"deploy_config_id": None},
    ],
)
def test_what_cannot_be_read_is_no_progress(wrong: dict[str, Any]) -> None:
    assert message.read({**message.body(SAID), **wrong}) is None


@pytest.mark.parametrize("found", [None, [], "text", 7, {}, {"heat_acknowledged": True}])
def test_another_message_is_no_progress(found: object) -> None:
    assert message.read(found) is None


@pytest.mark.parametrize("line", ["x", "\u2603" * 9, '"\\\n' * 5, "\U0001f600", ""])
def test_lines_that_fit_make_no_message_too_large(line: str) -> None:
    bare = SAID._replace(lines=())
    fit = message.fitting([line] * LARGEST, message.room(bare))
    size = len(json.dumps(message.body(bare._replace(lines=tuple(fit)))))
    assert LARGEST - len(json.dumps(line)) - 4 <= size <= LARGEST


def test_a_line_that_is_too_long_is_cut_and_says_so() -> None:
    assert message.cut("x" * message.LONGEST_LINE) == "x" * message.LONGEST_LINE
    assert message.cut("x" * 5000) == "x" * message.LONGEST_LINE + " … (5000 characters)"
