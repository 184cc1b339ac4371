# SPDX-License-Identifier: Apache-2.0
"""When one looks again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from heat_config.collect.pace import Doubling, Pace, pause


def test_the_pace_is_quick_after_a_change_and_slow_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    pace = Pace(1, 30)
    for idle, wait in ((0, 1), (10, 1), (60, 6), (300, 30), (9999, 36)):
        now = 1000.0 + idle
        assert 0.8 * wait <= pace.wait() <= wait
    pace.changed()
    assert pace.wait() <= 1


def looks(start: float, end: float, *, eager: bool) -> Iterator[float]:
    """When a server looks, in seconds after a change, if none of its waits is cut."""
    while start < end:
        yield start
        start += pause(start, 1, 30, eager=eager)


def test_what_cannot_be_woken_looks_within_half_a_second_for_a_minute() -> None:
    times = [*looks(0, 61, eager=True)]
    assert all(after - before <= 0.5 for before, after in pairwise(times))
    assert times[-1] >= 60
    assert len(times) <= 121


@pytest.mark.parametrize("start", [60, 300, 3600])
def test_and_no_more_often_in_an_idle_hour(start: float) -> None:
    eager = [*looks(start, start + 3600, eager=True)]
    assert eager == [*looks(start, start + 3600, eager=False)]


def test_an_operator_who_wants_fewer_looks_has_them() -> None:
    assert pause(10, 20, 120, eager=True) == 10
    assert pause(10, 20, 5, eager=True) == 2.5
    assert pause(60, 20, 120, eager=True) == 20


@pytest.mark.parametrize("eager", [True, False])
def test_who_waits_long_for_an_answer_asks_less_often(*, eager: bool) -> None:
    quick = pause(0, 1, 30, eager=eager)
    assert pause(0, 1, 30, eager=eager, took=0.05) == quick
    assert pause(0, 1, 30, eager=eager, took=2) == 8
    assert pause(0, 1, 30, eager=eager, took=60) == 36, "as one that is idle, and no less often"


def test_a_pace_goes_by_its_last_look() -> None:
    pace = Pace(1, 30, eager=True)
    pace.looked(5)
    assert 16 <= pace.wait() <= 20
    pace.looked(0.01)
    assert pace.wait() <= 0.5


def test_many_servers_do_not_keep_step() -> None:
    assert len({Pace(1, 30).wait() for _ in range(20)}) > 10


def test_waits_double_up_to_the_interval() -> None:
    waits = Doubling(1, 5)
    assert [waits.wait() for _ in range(5)] == [1, 2, 4, 5, 5]
    waits.reset()
    assert waits.wait() == 1
