# SPDX-License-Identifier: Apache-2.0
"""What the loop tells its pace."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from heat_config.collect import pace
from heat_config.collect.loop import Service


class Slow:
    """Sources that take five seconds each."""

    def __init__(self) -> None:
        self.now = 100.0

    def take(self, names: Sequence[str]) -> None:
        self.now += 5 * len(names)


@pytest.mark.parametrize(("name", "most"), [("zaqar", 20.0), ("local", 1.0)])
def test_only_a_look_at_the_queue_that_took_long_makes_the_next_one_late(
    name: str, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr("time.monotonic", lambda: slow.now)
    monkeypatch.setattr(pace, "jittered", lambda seconds: seconds)
    service = Service.__new__(Service)
    service._gathered = slow  # type: ignore[assignment]
    service._pace = pace.Pace(1, 30)
    service._take(name)
    assert service._pace.wait() == most
