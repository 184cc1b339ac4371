# SPDX-License-Identifier: Apache-2.0
"""What a resource keeps."""

from __future__ import annotations

import pytest

from heat_plugin.record import Record, read


def test_what_is_written_is_read_again() -> None:
    kept = Record("AUTO", "ZAQAR_MESSAGE", "q2", "q1")
    assert read(kept.written()) == kept


@pytest.mark.parametrize("text", [None, "", "no JSON", "[]", "7", '{"stranger": 1}'])
def test_what_is_not_usable_is_nothing(text: str | None) -> None:
    assert read(text) == Record()


def test_the_queue_before_the_last_is_not_needed() -> None:
    first, unneeded = Record().moved("q1")
    assert (first.queues, unneeded) == (("q1",), "")
    second, unneeded = first.moved("q2")
    assert (second.queues, unneeded) == (("q2", "q1"), "")
    third, unneeded = second.moved("q3")
    assert (third.queues, unneeded) == (("q3", "q2"), "q1")


def test_a_decision_leaves_the_queues() -> None:
    assert Record("", "", "q1").decided("AUTO", "ZAQAR_SIGNAL") == Record(
        "AUTO", "ZAQAR_SIGNAL", "q1"
    )
