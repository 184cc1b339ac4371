# SPDX-License-Identifier: Apache-2.0
"""When the plug-in looks, and posts again."""

from __future__ import annotations

import itertools

import pytest

from heat_plugin import pacing


def looks(until: float, waiting: int = 1) -> list[float]:
    """The times of all looks, seconds after the beginning."""
    times = [0.0]
    while (following := times[-1] + pacing.pause(times[-1], waiting)) <= until:
        times.append(following)
    return times


def delay(answered: float, waiting: int = 1) -> float:
    """How long an answer waits for the look that finds it."""
    return next(each for each in looks(answered + 100, waiting) if each >= answered) - answered


def test_an_answer_of_the_first_moment_is_seen_soon() -> None:
    assert looks(1)[1] == pytest.approx(0.1)
    assert max(delay(step / 100) for step in range(10, 60)) <= 0.06
    assert max(delay(step / 20) for step in range(1, 20)) <= 0.1


@pytest.mark.parametrize("answered", [1.0, 2.5, 5.0, 20.0, 60.0, 140.0, 1000.0])
def test_a_later_one_within_a_share_of_its_own_time(answered: float) -> None:
    assert delay(answered) <= min(answered * 0.1, pacing.LONGEST)


def test_waiting_long_costs_little() -> None:
    assert len(looks(3600)) < 300
    assert len(looks(5)) < 36


def test_each_of_many_is_looked_at_half_as_often() -> None:
    alone = pacing.pause(45.0, 1)
    assert pacing.pause(45.0, 1 + pacing.MANY) == pytest.approx(2 * alone)
    assert pacing.pause(45.0, 10) < 1.1 * alone


@pytest.mark.parametrize("waiting", [1, 10, 64, 500, 2000])
def test_all_together_look_forty_times_a_second_at_most(waiting: int) -> None:
    for elapsed in (0.0, 1.0, 60.0, 3600.0):
        assert waiting / pacing.pause(elapsed, waiting) <= 40.001


def test_metadata_are_posted_again_ever_less_often_and_before_they_expire() -> None:
    gaps = [pacing.next_post(300, times) for times in range(40)]
    assert gaps[:4] == [300, 600, 1200, 1800]
    assert all(before <= after for before, after in itertools.pairwise(gaps))
    assert max(gaps) < 3600


@pytest.mark.parametrize("first", [1, 300, 1800])
def test_the_operator_says_when_for_the_first_time(first: float) -> None:
    assert not pacing.is_post_due(first - 0.1, first, 0, failed=False)
    assert pacing.is_post_due(first, first, 0, failed=False)
    assert max(pacing.next_post(first, times) for times in range(40)) == 1800


def test_a_post_that_failed_is_repeated_soon() -> None:
    assert not pacing.is_post_due(4.9, 300, 0, failed=True)
    assert pacing.is_post_due(5, 300, 7, failed=True)


def test_heat_itself_is_asked_less_often_than_the_queue() -> None:
    asked, times = 0.0, []
    for each in looks(300):
        if pacing.is_asking_due(each - asked, each):
            asked = each
            times.append(each)
    assert times[0] < 1.5
    assert len(times) < len(looks(300)) / 3
    assert max(after - before for before, after in itertools.pairwise(times)) < 30 + pacing.LONGEST
