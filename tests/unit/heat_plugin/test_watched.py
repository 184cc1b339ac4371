# SPDX-License-Identifier: Apache-2.0
"""Which queues of progress a deployment has."""

from __future__ import annotations

import pytest

from heat_plugin import watched


def test_the_queue_of_the_action_before_is_kept_for_one_more() -> None:
    first, unneeded = watched.moved(None, "q1")
    assert (watched.names(first), unneeded) == (["q1"], [])
    second, unneeded = watched.moved(first, "q2")
    assert (watched.names(second), unneeded) == (["q2", "q1"], [])
    third, unneeded = watched.moved(second, "q3")
    assert (watched.names(third), unneeded) == (["q3", "q2"], ["q1"])


def test_who_asks_no_more_has_no_queue() -> None:
    assert watched.moved('["q2", "q1"]', "") == ("[]", ["q2", "q1"])
    assert watched.moved(None, "") == ("[]", [])


@pytest.mark.parametrize("text", [None, "", "no JSON", "7", '{"q": 1}', "[1]"])
def test_what_is_not_usable_is_nothing(text: str | None) -> None:
    assert watched.names(text) == []


def test_a_change_of_progress_alone_is_known() -> None:
    assert watched.is_all({"progress": True})
    assert not watched.is_all({"progress": True, "config": "c2"})
    assert not watched.is_all({})
