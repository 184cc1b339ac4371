# SPDX-License-Identifier: Apache-2.0
"""The waves of faults.cloud, and how what comes of them is judged."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from faults.cloud import judge, schedule
from faults.cloud.judge import COMPLETE, FAILED, HUNG, Ended, Outcome, Run, Total
from faults.cloud.schedule import PHASES, Injury, Kind, Schedule, Step
from faults.cloud.side import PLUGIN
from lab.ha import redis

STACK = Schedule(7, (Step("one", 0.5, ""), Step("two", 0, "one")), (0, 0, 0))


def outcome(kind: Kind = Kind.PROXY_KILLED, *ended: Ended) -> Outcome:
    injuries = {phase: Injury(kind, 1, 2, 0) for phase in PHASES}
    return Outcome(STACK, injuries, list(ended))


def all_well() -> Outcome:
    made = outcome(Kind.PROXY_KILLED, *(Ended(phase, COMPLETE) for phase in PHASES))
    made.runs = [Run("CREATE", "first", "one", "a"), Run("UPDATE", "second", "one", "b")]
    return made


def counted(found: Outcome) -> dict[str, int]:
    return {name: count for name, count in found.counts().items() if count}


def test_a_seed_makes_the_same_waves() -> None:
    assert list(schedule.waves(3, 40)) == list(schedule.waves(3, 40))
    assert list(schedule.waves(3, 40)) != list(schedule.waves(4, 40))
    assert schedule.wave(3, 40, 2) == list(schedule.waves(3, 40))[2]


def test_each_schedule_is_in_one_wave() -> None:
    waves = list(schedule.waves(3, 25, width=10))
    assert [len(wave.schedules) for wave in waves] == [10, 10, 5]
    numbers = [each.number for wave in waves for each in wave.schedules]
    assert numbers == list(range(25))


def test_two_hundred_schedules_meet_each_kind_in_each_phase() -> None:
    waves = list(schedule.waves(5, 200))
    for place, phase in enumerate(PHASES):
        assert {wave.injuries[place].kind for wave in waves} == set(Kind), phase


def test_a_step_waits_only_for_one_before_it() -> None:
    for wave in schedule.waves(1, 100):
        for each in wave.schedules:
            names = [step.name for step in each.steps]
            for step in each.steps:
                assert step.after in ("", *names[: names.index(step.name)])


def test_the_template_has_the_chain_and_the_pauses() -> None:
    resources = PLUGIN.template(STACK, "first", Path("/runs"))["resources"]
    second = resources["two_deployment"]
    assert second["depends_on"] == "one_deployment"
    assert "depends_on" not in resources["one_deployment"]
    assert resources["one_deployment"]["properties"]["input_values"]["pause"] == "0.5"
    assert second["properties"]["actions"] == ["CREATE", "UPDATE", "DELETE"]


def test_nothing_is_wrong_with_what_went_well() -> None:
    assert counted(all_well()) == {"stacks": 1}
    assert all_well().complaints() == all_well().apart() == []


@pytest.mark.parametrize(
    ("ended", "kind"),
    [
        (Ended("CREATE", FAILED, "no"), "failed"),
        (Ended("UPDATE", HUNG, "UPDATE_IN_PROGRESS"), "hung"),
        (Ended("UPDATE", COMPLETE, wrong=("one is ''",)), "wrong"),
    ],
)
def test_each_bad_end_is_counted_and_told(ended: Ended, kind: str) -> None:
    found = outcome(Kind.PROXY_KILLED, ended)
    assert counted(found) == {"stacks": 1, kind: 1}
    assert len(found.complaints()) == 1


def test_a_config_that_was_run_twice_is_counted() -> None:
    found = all_well()
    found.runs.append(Run("CREATE", "first", "one", "a"))
    assert counted(found)["run twice"] == 1
    assert found.complaints() == ["run twice: CREATE first one a"]


def test_two_configs_of_the_same_step_are_none_that_was_run_twice() -> None:
    runs = [Run("CREATE", "first", "one", "a"), Run("CREATE", "first", "one", "b")]
    assert judge.twice(runs) == []


def test_what_heat_does_not_survive_is_counted_apart_with_its_line() -> None:
    hung = Ended("CREATE", HUNG, "CREATE_IN_PROGRESS")
    found = outcome(Kind.ENGINE_KILLED, hung, Ended("CREATE", COMPLETE))
    assert counted(found) == {"stacks": 1}
    (own,) = found.apart()
    assert "heat/engine/service.py:2571" in own
    assert counted(outcome(Kind.KEYSTONE_KILLED, hung))["hung"] == 1


def test_what_was_asked_for_again_has_no_excuse() -> None:
    hung = Ended("CREATE", HUNG)
    found = outcome(Kind.ENGINE_KILLED, hung, hung._replace(again=True))
    assert counted(found)["hung"] == 1
    assert len(found.apart()) == len(found.complaints()) == 1


def test_a_stack_that_fails_is_no_engines_fault() -> None:
    failed = Ended("CREATE", FAILED, "Resource CREATE failed")
    assert counted(outcome(Kind.ENGINE_KILLED, failed))["failed"] == 1


def test_the_last_line_counts() -> None:
    total = Total()
    left = all_well()
    left.left = ["queue"]
    total.add([all_well()])
    total.add([left, outcome(Kind.ENGINE_KILLED, Ended("DELETE", HUNG))])
    assert total.line() == (
        "schedules: 3, stacks: 3, failed: 0, hung: 0, wrong: 0, run twice: 0, left: 1"
    )
    assert [line.partition(" times")[0] for line in total.apart()] == ["Heat's own: 1"]


@pytest.mark.parametrize("left", [[], ["queue"]])
def test_only_what_is_wrong_fails_the_run(left: list[str]) -> None:
    total, found = Total(), all_well()
    found.left = left
    total.add([found])
    assert total.clean is not bool(left)


def test_a_request_to_redis_and_its_answers() -> None:
    assert redis.request("GET", b"\0") == b"*2\r\n$3\r\nGET\r\n$1\r\n\0\r\n"
    answers = b"+OK\r\n:7\r\n$-1\r\n*2\r\n$1\r\na\r\n:1\r\n"
    file = io.BytesIO(answers)
    assert [redis.read(file) for _ in range(4)] == ["OK", 7, None, [b"a", 1]]


@pytest.mark.parametrize(
    ("said", "error"),
    [(b"-ERR no\r\n", ValueError), (b"", ConnectionError), (b"+O", ConnectionError)],
)
def test_redis_that_says_no_or_goes(said: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        redis.read(io.BytesIO(said))
