# SPDX-License-Identifier: Apache-2.0
"""Loss, repetition and the end of a result's way, in every state that can be reached."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING

import pytest

from heat_config.delivery import policy
from heat_config.delivery.entry import Stage
from heat_config.delivery.policy import ROWS, Act
from tests.support.exploration import (
    FAILURES,
    FINAL,
    LIMITS,
    SMALL,
    STARTS,
    AtUpdate,
    Exploration,
    Machine,
    State,
    World,
    agent_alone,
    longest_way,
)
from tests.support.explored_plugin import Heat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Window(Enum):
    """Where a second answer is possible; docs/architecture.md says the same in prose."""

    PENDING = "the result was still pending when Heat began the update"
    STOPPED = "Heat has stopped waiting without a result, and a message waits on the queue"
    NOT_REMOVED = "a copy was not removed yet, or could not be for long"
    STRAY = "a copy came when nobody looked for it any more, or a proxy has sent it twice"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """The policy with small constants, as long as it is explored."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(policy, name, value)
        yield Machine()


@pytest.fixture(scope="module")
def explored(machine: Machine, request: pytest.FixtureRequest) -> Iterator[Exploration]:
    start = time.monotonic()
    # Half a million states that stay: to look for garbage among them takes as long again.
    gc.disable()
    try:
        exploration = Exploration(machine, STARTS)
        elapsed = time.monotonic() - start
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(
                f"\n{len(exploration.reached)} states, {exploration.transitions} transitions, all "
                f"that there are: the farthest is {exploration.depth} steps away; {elapsed:.1f} s",
                file=sys.stderr,  # one of several processes has no stdout
            )
        yield exploration
    finally:
        gc.enable()


def show(exploration: Exploration, faults: Iterable[State]) -> None:
    """Fail with the way to the first of the faults, which is one of the shortest."""
    fault = next(iter(faults), None)
    if fault is not None:
        pytest.fail(exploration.trace(fault), pytrace=False)


def test_a_result_is_not_forgotten_before_it_was_accepted(explored: Exploration) -> None:
    def is_lost(state: State) -> bool:
        world = state.world
        # The plug-in says when Heat has it: that it is on the queue is not enough.
        is_there = not world.plugin and (world.queue or world.lost)
        return explored.stage(state) is Stage.DONE and world.heat is Heat.WAITS and not is_there

    show(explored, filter(is_lost, explored.reached))


def test_a_result_that_may_have_arrived_is_not_taken_for_a_new_one(explored: Exploration) -> None:
    def is_posted_again(state: State) -> bool:
        return state.world.served and explored.stage(state) in (Stage.NEW, Stage.FALLBACK)

    show(explored, filter(is_posted_again, explored.reached))


def test_a_copy_is_removed_only_when_heat_does_not_need_it(explored: Exploration) -> None:
    def removes_too_early(state: State) -> bool:
        world, act = state.world, ROWS[explored.stage(state)].act
        return act is Act.CLEAN and world.heat is Heat.WAITS and not world.lost

    show(explored, filter(removes_too_early, explored.reached))


def test_what_is_superseded_is_not_sent_any_more(explored: Exploration) -> None:
    machine = explored.machine
    for number in range(len(machine.entries)):
        found = machine.superseded(number)
        after = machine.entries[found]
        assert ROWS[after.stage].act in (Act.CLEAN, Act.GIVE_UP, Act.SETTLE)
        assert after.stage in FINAL or machine.superseded(found) == found


def has_two_answers(stage: Stage, world: World) -> bool:
    """Whether Heat has taken the result for another's, or will from what is left behind.

    What is left on the queue of one action alone is never read again.
    """
    is_left = world.queue > 0 and stage in FINAL and not world.plugin
    return world.heat is Heat.DECEIVED or (
        is_left and world.heat in (Heat.HAS, Heat.STOPPED, Heat.UPDATED)
    )


def windows(world: World) -> set[Window]:
    """Which windows explain that there are two answers."""
    is_pending = world.heat is Heat.DECEIVED and world.at_update is AtUpdate.PENDING
    in_cleaning = world.heat is Heat.DECEIVED and world.at_update is AtUpdate.DELIVERED
    explanations = {
        Window.PENDING: is_pending,
        Window.STOPPED: world.stopped,
        Window.NOT_REMOVED: in_cleaning or world.given_up,
        Window.STRAY: world.late or world.repeated,
    }
    return {window for window, holds in explanations.items() if holds}


def test_there_are_two_answers_in_the_named_windows_alone(explored: Exploration) -> None:
    faults = [
        state for state in explored.reached if has_two_answers(explored.stage(state), state.world)
    ]
    show(explored, (state for state in faults if not windows(state.world)))
    # And none of the windows is named in vain: each is the only explanation of something.
    only = Counter(found.pop() for state in faults if len(found := windows(state.world)) == 1)
    assert set(only) == set(Window)


def test_when_all_answer_each_way_ends(explored: Exploration) -> None:
    """And ends well: no further loss is hidden there, as each step is one of the explored."""
    steps: dict[State, int] = {}
    for state in explored.reached:
        way: list[State] = []
        following: State | None = state
        while following is not None and following not in steps and len(way) < 50:
            way.append(following)
            following = explored.in_good_times(following)
        if following is not None and following not in steps:
            show(explored, [state])
        after = steps[following] if following else 0
        steps.update((each, after + number) for number, each in enumerate(reversed(way), 1))
    assert set(steps) == set(explored.reached)
    assert max(steps.values()) <= 12


def test_whatever_the_queue_loses_heat_gets_what_its_plugin_waits_for(
    explored: Exploration,
) -> None:
    """From everywhere, as soon as all answer: the storage may have been emptied at any time."""

    def is_lost(state: State) -> bool:
        full = explored.machine.entries[state.entry]
        # What has failed for as long as a message lives comes to its end.
        is_old = full.stage in FINAL or full.answered + full.wait >= LIMITS.message_ttl
        if not state.world.plugin or state.world.heat is not Heat.WAITS or is_old:
            return False
        end = list(explored.good_times_from(state))[-1]
        return end.world.heat is not Heat.HAS or explored.stage(end) is not Stage.DONE

    show(explored, filter(is_lost, explored.reached))


def test_when_all_fails_each_way_ends(machine: Machine) -> None:
    """Whatever comes of each act, in whatever order, and wherever the agent is stopped."""
    edges = agent_alone(machine)
    assert longest_way(edges) <= 60
    ends = {machine.entries[number].stage for number in edges if not edges[number]}
    assert ends == set(FINAL)


def test_a_stop_never_ends_the_way(explored: Exploration) -> None:
    machine = explored.machine
    for number, full in enumerate(machine.entries):
        stopped = machine.entries[machine.intended(number)].stage
        assert (stopped in FINAL) == (full.stage in FINAL)


def test_every_stage_and_every_way_of_the_table_was_explored(explored: Exploration) -> None:
    machine = explored.machine
    taken = {
        (machine.entries[number].stage, outcome, machine.entries[following].stage)
        for (number, outcome), following in machine.taken.items()
    }
    stages = {full.stage for full in machine.entries}
    assert stages == set(Stage)
    for stage, row in ROWS.items():
        if stage in FINAL:
            continue
        assert {(stage, outcome, then) for outcome, then in row.then.items()} <= taken
        assert {(stage, outcome) for outcome in FAILURES} <= {way[:2] for way in taken}
        ways = {then for at, outcome, then in taken if at is stage and outcome not in row.then}
        assert ways == ways_of_failure(stage)


def ways_of_failure(stage: Stage) -> set[Stage]:
    """Where a failure may lead, by the table."""
    row = ROWS[stage]
    # It stays with a smaller result, too.
    ways = {stage, row.failing, row.intent, row.gives_way, row.exhausted}
    return {way for way in ways if way}


def test_nothing_is_given_up_before_its_limits(explored: Exploration) -> None:
    machine = explored.machine
    for (number, outcome), following in machine.taken.items():
        before, after = machine.entries[number], machine.entries[following]
        if after.stage not in FINAL or ROWS[before.stage].then.get(outcome) is after.stage:
            continue
        waited, answered = before.waited + before.wait, before.answered + before.wait
        is_refused = outcome.is_refusal and before.refusals + 1 >= policy.REFUSALS
        is_old = answered >= LIMITS.message_ttl or waited >= policy.LONGEST_AWAY
        assert is_refused or is_old, (before, outcome)
        assert not before.due
