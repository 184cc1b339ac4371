# SPDX-License-Identifier: Apache-2.0
"""When one looks again."""

from __future__ import annotations

import pytest

from heat_config.collect.pace import Doubling, Pace


def test_the_pace_is_quick_after_a_change_and_slow_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    pace = Pace(1, 30)
    for idle, wait in ((0, 1), (10, 1), (60, 6), (300, 30), (9999, 36)):
        now = 1000.0 + idle
        assert 0.8 * wait <= pace.wait() <= wait
    pace.changed()
    assert pace.wait() <= 1


def test_many_servers_do_not_keep_step() -> None:
    assert len({Pace(1, 30).wait() for _ in range(20)}) > 10


def test_waits_double_up_to_the_interval() -> None:
    waits = Doubling(1, 5)
    assert [waits.wait() for _ in range(5)] == [1, 2, 4, 5, 5]
    waits.reset()
    assert waits.wait() == 1
