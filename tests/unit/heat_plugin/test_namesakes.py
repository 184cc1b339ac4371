# SPDX-License-Identifier: Apache-2.0
"""Which of two deployments of one name a signal is for."""

from __future__ import annotations

import pytest

from heat_plugin import namesakes


def never() -> list[str | None]:
    raise AssertionError("the others were asked for")


def test_the_one_that_was_signalled_where_it_waits() -> None:
    assert namesakes.waiting("new", never, "new".__eq__) == "new"


@pytest.mark.parametrize("others", [["old", "new"], ["new", "old"], [None, "old", "new"]])
def test_the_one_that_waits_in_whatever_order(others: list[str | None]) -> None:
    assert namesakes.waiting("old", lambda: others, "new".__eq__) == "new"


def test_none_waits() -> None:
    """Heat's engine ignores it, as it does a second signal."""
    assert namesakes.waiting("old", lambda: ["old", None, "new"], "other".__eq__) == "old"
