# SPDX-License-Identifier: Apache-2.0
"""The table of stages, row by row, and the rules beside it."""

from __future__ import annotations

from typing import Any

import pytest

from heat_config.cloud.errors import Outcome
from heat_config.delivery import policy
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.policy import ROWS, Act, Answer, Limits, Moment, Wait

LIMITS = Limits(first_wait=0.5, fallback_after=600, message_ttl=86_400)
NOW = 1_700_000_000.0
MOMENT = Moment(NOW, 0.5)
FINAL = (Stage.DONE, Stage.ABANDONED, Stage.SUPERSEDED)
WORKING = [stage for stage in Stage if stage not in FINAL]

ACCEPTED, PRESENT, ABSENT = Outcome.ACCEPTED, Outcome.PRESENT, Outcome.ABSENT
ACKNOWLEDGED = Outcome.ACKNOWLEDGED
UNKNOWN, UNUSABLE, TOO_LARGE = Outcome.UNKNOWN, Outcome.UNUSABLE, Outcome.TOO_LARGE
TABLE: dict[Stage, tuple[Act, dict[Outcome, Stage], Stage]] = {
    # stage: what is done, what follows at once, where all other failures lead
    Stage.NEW: (
        Act.POST,
        {ACCEPTED: Stage.DONE, UNUSABLE: Stage.ABANDONED},
        Stage.NEW,
    ),
    Stage.MAYBE_QUEUED: (
        Act.LOOK,
        {PRESENT: Stage.DONE, ABSENT: Stage.MAYBE_NOTIFIED, UNUSABLE: Stage.ABANDONED},
        Stage.MAYBE_QUEUED,
    ),
    Stage.FALLBACK: (Act.NOTIFY, {ACCEPTED: Stage.DONE}, Stage.NEW),
    Stage.MAYBE_NOTIFIED: (Act.NOTIFY, {ACCEPTED: Stage.CLEANING}, Stage.MAYBE_NOTIFIED),
    Stage.LAST_LOOK: (
        Act.LOOK,
        {PRESENT: Stage.WATCHING, ABSENT: Stage.LAST_RESORT},
        Stage.MAYBE_NOTIFIED,
    ),
    Stage.LAST_RESORT: (Act.POST, {ACCEPTED: Stage.WATCHING}, Stage.MAYBE_NOTIFIED),
    Stage.WATCHING: (
        Act.LOOK,
        {PRESENT: Stage.UNTAKEN, ABSENT: Stage.DONE, UNUSABLE: Stage.DONE},
        Stage.WATCHING,
    ),
    Stage.UNTAKEN: (Act.NOTIFY, {ACCEPTED: Stage.CLEANING}, Stage.WATCHING),
    Stage.CLEANING: (
        Act.CLEAN,
        {ACCEPTED: Stage.CLEANING_AGAIN, UNUSABLE: Stage.DONE},
        Stage.CLEANING,
    ),
    Stage.CLEANING_AGAIN: (
        Act.CLEAN,
        {ACCEPTED: Stage.DONE, UNUSABLE: Stage.DONE},
        Stage.CLEANING_AGAIN,
    ),
    Stage.FORCED: (
        Act.NOTIFY,
        {ACCEPTED: Stage.CLEANING, UNUSABLE: Stage.ABANDONED},
        Stage.FORCED,
    ),
    Stage.REPEATABLE: (
        Act.POST,
        {ACCEPTED: Stage.DONE, UNUSABLE: Stage.ABANDONED},
        Stage.REPEATABLE,
    ),
    Stage.SIGNED: (
        Act.POST,
        {ACCEPTED: Stage.WAITING_FOR_HEAT, UNUSABLE: Stage.ABANDONED},
        Stage.SIGNED,
    ),
    Stage.WAITING_FOR_HEAT: (
        Act.LOOK,
        {ACKNOWLEDGED: Stage.DONE, ABSENT: Stage.SIGNED, UNUSABLE: Stage.ABANDONED},
        Stage.WAITING_FOR_HEAT,
    ),
}
# Where an act whose outcome is not known leads, where that differs from other failures.
UNKNOWN_LEADS = {Stage.NEW: Stage.MAYBE_QUEUED, Stage.FALLBACK: Stage.MAYBE_NOTIFIED}
# Where what was sent may still arrive: the minute before that is looked at.
SETTLES = (Stage.WATCHING, Stage.CLEANING_AGAIN)
# And where Heat needs some time, which an operator may cut short.
LATER = (*SETTLES, Stage.WAITING_FOR_HEAT)
# These are tried once, and then what they stand in the place of is tried again.
ONCE = (Stage.FALLBACK, Stage.LAST_LOOK, Stage.LAST_RESORT, Stage.UNTAKEN)


def entry(stage: Stage = Stage.NEW, **more: Any) -> Entry:
    return Entry("c1", {"deploy_queue_id": "q"}, {"deploy_status_code": 0}, stage)._replace(**more)


def after(before: Entry, outcome: Outcome, *, now: float = NOW, size: int = 100_000) -> Entry:
    return policy.after(before, Answer(outcome, "why", size), LIMITS, Moment(now, 0.5))


def tried(before: Entry, outcome: Outcome, times: int) -> Entry:
    """An entry after so many tries, each when it was due."""
    for _ in range(times):
        before = after(before, outcome, now=before.due or NOW)
    return before


def leads(stage: Stage, outcome: Outcome) -> Stage:
    _, then, failing = TABLE[stage]
    if outcome in then:
        return then[outcome]
    if outcome is UNKNOWN:
        return UNKNOWN_LEADS.get(stage, failing)
    return stage if outcome is TOO_LARGE else failing


def waits(stage: Stage, outcome: Outcome) -> float:
    if outcome in TABLE[stage][1]:
        return 60.0 if leads(stage, outcome) in LATER else 0.0
    if outcome is TOO_LARGE:
        return 0.0
    return 0.5 if outcome.is_transient and stage not in ONCE else 30 * 0.75


def test_the_table_has_a_row_for_each_stage() -> None:
    assert set(ROWS) == set(Stage)
    assert {stage: ROWS[stage].act for stage in WORKING} == {
        stage: act for stage, (act, _, _) in TABLE.items()
    }
    assert {stage: ROWS[stage].act for stage in FINAL} == {
        Stage.DONE: Act.SETTLE,
        Stage.ABANDONED: Act.GIVE_UP,
        Stage.SUPERSEDED: Act.GIVE_UP,
    }


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("stage", WORKING)
def test_what_follows_the_first_try(stage: Stage, outcome: Outcome) -> None:
    before = entry(stage, wait=7.0, due=NOW - 1)
    found = after(before, outcome)
    assert found.stage is leads(stage, outcome)
    assert found.due == NOW + waits(stage, outcome)
    expected = policy.next_action(found, LIMITS, NOW)
    assert expected == (Wait(found.due) if found.due > NOW else ROWS[found.stage].act)
    # A look that finds it untaken counts as a try: it is looked at ever less often.
    untaken = found.stage is Stage.UNTAKEN and stage is Stage.WATCHING
    # So does one that finds it lost: it is not posted again for ever.
    lost = found.stage is Stage.SIGNED and stage is Stage.WAITING_FOR_HEAT
    counts = untaken or lost
    leads_on = (outcome in TABLE[stage][1] or outcome is TOO_LARGE) and not counts
    answers = outcome in (UNKNOWN, PRESENT, Outcome.REFUSED, Outcome.CONTENT_REFUSED)
    refuses = outcome in (Outcome.REFUSED, Outcome.CONTENT_REFUSED)
    assert found.waited == (0.0 if leads_on else 7.0)
    assert found.answered == (7.0 if counts or (answers and not leads_on) else 0.0)
    assert found.refusals == (1 if refuses else 0)
    assert found.content_refusals == (1 if outcome is Outcome.CONTENT_REFUSED else 0)


@pytest.mark.parametrize("stage", Stage)
def test_what_is_on_disk_while_the_act_is_under_way(stage: Stage) -> None:
    intents = {
        Stage.NEW: Stage.MAYBE_QUEUED,
        Stage.FALLBACK: Stage.MAYBE_NOTIFIED,
        Stage.LAST_RESORT: Stage.MAYBE_NOTIFIED,
    }
    kept = entry(stage, tries=3, waited=9.0, unanswered=2)
    count = 0 if stage is Stage.LAST_RESORT else 2
    expected = kept._replace(stage=intents.get(stage, stage), unanswered=count)
    assert policy.intended(kept) == expected


def test_a_round_has_short_waits_and_a_long_one_follows() -> None:
    pauses = []
    failing = entry()
    for _ in range(12):
        failing = after(failing, Outcome.UNREACHABLE, now=failing.due or NOW)
        pauses.append(failing.wait)
    assert pauses == [0.5, 1, 2, 22.5, 0.5, 1, 2, 45, 0.5, 1, 2, 90]
    assert failing.waited == sum(pauses[:-1])
    assert failing.answered == 0


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_waits_are_spread_and_none_is_longer_than_ten_minutes(spread: float) -> None:
    long = [policy.wait(number * policy.ROUND, LIMITS, spread) for number in range(1, 60)]
    assert long == sorted(long)
    assert long[0] == 30 * (0.5 + spread / 2)
    assert long[-1] == 600 * (0.5 + spread / 2)
    assert policy.wait(10**9, LIMITS, spread) <= 600
    assert policy.wait(1, LIMITS, spread) == 0.5 * (0.5 + spread)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.WRONG_HERE, Outcome.CONTENT_REFUSED])
def test_what_will_not_change_in_a_second_ends_the_round(outcome: Outcome) -> None:
    found = after(entry(tries=1), outcome)
    assert found.tries == policy.ROUND
    assert found.wait == 22.5


FOUND = {ACCEPTED, PRESENT, ABSENT, ACKNOWLEDGED}


@pytest.mark.parametrize(
    "outcome", [each for each in Outcome if each not in FOUND | {UNUSABLE, TOO_LARGE}]
)
@pytest.mark.parametrize("stage", WORKING)
def test_a_try_ahead_of_its_time_counts_for_nothing(stage: Stage, outcome: Outcome) -> None:
    before = entry(stage, wait=20.0, due=NOW + 20, waited=5.0, refusals=5, tries=4)
    found = before
    for _ in range(5):
        found = after(found._replace(stage=stage), outcome)
    assert found == before._replace(stage=leads(stage, outcome), problem="why")


def test_five_deliveries_by_hand_within_a_second_abandon_nothing() -> None:
    found = entry()
    for number in range(5):
        found = after(found, Outcome.REFUSED, now=NOW + number / 5)
    assert found.stage is Stage.NEW
    assert found.refusals == 1
    assert found.due == NOW + 22.5


def test_refusals_are_counted_in_a_row() -> None:
    found = tried(entry(Stage.REPEATABLE), Outcome.REFUSED, policy.REFUSALS - 1)
    assert found.refusals == policy.REFUSALS - 1
    found = tried(found, Outcome.UNREACHABLE, 1)
    assert found.refusals == 0
    found = tried(found, Outcome.REFUSED, policy.REFUSALS - 1)
    assert found.stage is Stage.REPEATABLE
    assert tried(found, Outcome.REFUSED, 1).stage is Stage.ABANDONED


@pytest.mark.parametrize("stage", [Stage.MAYBE_NOTIFIED, Stage.FORCED, Stage.REPEATABLE])
def test_too_many_refusals_are_the_reason(stage: Stage) -> None:
    found = tried(entry(stage), Outcome.REFUSED, policy.REFUSALS)
    assert found.stage is Stage.ABANDONED
    assert found.problem == "refused 6 times, the last time so: why"
    assert found.waited > 600


def test_a_queue_that_refuses_gives_way_to_heat_once_before_the_end() -> None:
    found = tried(entry(), Outcome.REFUSED, policy.REFUSALS)
    assert found.stage is Stage.FALLBACK
    assert policy.next_action(found, LIMITS, found.due) is Act.NOTIFY
    assert tried(found, ACCEPTED, 1).stage is Stage.DONE
    assert tried(found, Outcome.UNREACHABLE, 1).stage is Stage.NEW
    assert tried(found, Outcome.REFUSED, 1).stage is Stage.ABANDONED


@pytest.mark.parametrize("stage", [Stage.WATCHING, Stage.CLEANING, Stage.CLEANING_AGAIN])
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, UNKNOWN, Outcome.UNREACHABLE])
def test_what_heat_has_is_never_abandoned(stage: Stage, outcome: Outcome) -> None:
    found = entry(stage, waited=policy.LONGEST_AWAY - 900.0, answered=LIMITS.message_ttl - 900.0)
    stages = [found.stage]
    while stages[-1] is stage and len(stages) < 100:
        found = tried(found, outcome, 1)
        stages.append(found.stage)
    assert stages[-1] is Stage.DONE
    assert len(stages) > policy.REFUSALS


def test_what_the_other_side_answers_grows_old_in_the_life_of_a_message() -> None:
    found = entry(Stage.REPEATABLE, waited=86_000, answered=86_000, wait=401, tries=3)
    young = after(found._replace(wait=399), UNKNOWN)
    assert young.stage is Stage.REPEATABLE
    old = after(found, UNKNOWN)
    assert old.stage is Stage.ABANDONED
    assert old.problem == "not accepted in 86400 s of trying: why"


@pytest.mark.parametrize("outcome", [Outcome.UNREACHABLE, Outcome.WRONG_HERE])
def test_where_nobody_answers_it_is_kept_for_two_weeks(outcome: Outcome) -> None:
    found = entry(Stage.REPEATABLE, tries=3, wait=600.0, waited=policy.LONGEST_AWAY - 601)
    young = after(found, outcome)
    assert young.stage is Stage.REPEATABLE
    old = after(young._replace(tries=3, due=0.0, wait=1.0), outcome)
    assert old.stage is Stage.ABANDONED
    assert old.problem == "nobody has answered in 1209600 s of trying: why"


def test_nothing_is_abandoned_within_a_round() -> None:
    found = entry(Stage.REPEATABLE, waited=10.0**9, answered=10.0**9)
    assert tried(found, Outcome.UNREACHABLE, policy.ROUND - 1).stage is Stage.REPEATABLE
    assert tried(found, Outcome.UNREACHABLE, policy.ROUND).stage is Stage.ABANDONED


@pytest.mark.parametrize("stage", [Stage.NEW, Stage.MAYBE_QUEUED])
def test_a_queue_that_is_away_for_long_is_passed_by(stage: Stage) -> None:
    young = entry(stage, tries=3, wait=10.0, waited=589.0)
    assert after(young, Outcome.UNREACHABLE).stage is stage
    old = after(young._replace(waited=590.0), Outcome.UNREACHABLE)
    assert old.stage is (Stage.FALLBACK if stage is Stage.NEW else Stage.MAYBE_NOTIFIED)
    assert old.due == NOW
    # Within a round nothing is passed by.
    assert after(young._replace(waited=590.0, tries=1), Outcome.UNREACHABLE).stage is stage


def test_the_last_resort_comes_after_three_rounds_in_which_heat_did_not_answer() -> None:
    found = entry(Stage.MAYBE_NOTIFIED, waited=600.0)
    for unanswered in (1, 2):
        found = tried(found, Outcome.UNREACHABLE, policy.ROUND)
        assert found.stage is Stage.MAYBE_NOTIFIED
        assert found.unanswered == unanswered
    found = tried(found, Outcome.UNREACHABLE, policy.ROUND)
    assert found.stage is Stage.LAST_LOOK
    assert tried(found, PRESENT, 1).stage is Stage.WATCHING
    found = tried(found, ABSENT, 1)
    assert found.stage is Stage.LAST_RESORT
    failed = tried(found, UNKNOWN, 1)
    assert failed.stage is Stage.MAYBE_NOTIFIED
    assert failed.unanswered == 0


def test_a_refusal_of_heat_is_an_answer() -> None:
    found = entry(Stage.MAYBE_NOTIFIED, waited=600.0, unanswered=2)
    found = tried(found, Outcome.REFUSED, 1)
    assert found.stage is Stage.MAYBE_NOTIFIED
    assert found.unanswered == 2


def test_a_result_whose_content_is_refused_twice_is_replaced_at_once() -> None:
    once = tried(entry(), Outcome.CONTENT_REFUSED, 1)
    assert once.content_refusals == 1
    assert once.due > NOW
    twice = after(once, Outcome.CONTENT_REFUSED, now=once.due)
    assert twice.content_refusals == policy.CONTENT_REFUSALS
    assert twice.due == once.due
    assert twice.wait == 0
    assert after(twice, ACCEPTED).stage is Stage.DONE
    # What goes in its place may be refused too, and that has an end.
    left = policy.REFUSALS - policy.CONTENT_REFUSALS
    assert tried(twice, Outcome.CONTENT_REFUSED, left).stage is Stage.FALLBACK


def test_a_stray_refusal_of_content_is_forgotten() -> None:
    found = tried(tried(entry(), Outcome.CONTENT_REFUSED, 1), Outcome.REFUSED, 1)
    assert found.content_refusals == 0
    assert found.refusals == 2


def test_a_result_that_is_too_large_is_halved_down_to_the_smallest() -> None:
    found, sizes = entry(), []
    size = 261_600
    while found.refusals == 0:
        found = after(found, TOO_LARGE, size=size)
        size = found.limit or size
        sizes.append(size)
    assert sizes == [130_800, 65_400, 32_700, 16_350, 8_175, 4_087, 4_087]
    assert found.due > NOW
    assert found.problem == "why"


@pytest.mark.parametrize("now", [0.0, 1.0, NOW, 2_208_988_800.0])
def test_what_is_due_is_due_by_any_clock(now: float) -> None:
    assert policy.is_due(entry(), LIMITS, now)
    assert policy.is_due(entry(due=now), LIMITS, now)
    assert not policy.is_due(entry(due=now + 1), LIMITS, now)
    assert not policy.is_due(entry(due=now + 600), LIMITS, now)
    assert policy.is_due(entry(due=now + 601), LIMITS, now)


def test_a_clock_that_jumps_neither_delays_nor_ages() -> None:
    born_in_1970 = after(entry(Stage.REPEATABLE), UNKNOWN, now=5.0)
    jumped = after(born_in_1970, UNKNOWN, now=NOW)
    assert jumped.stage is Stage.REPEATABLE
    assert jumped.waited == born_in_1970.wait
    from_2040 = after(entry(Stage.REPEATABLE), Outcome.REFUSED, now=2_208_988_800.0)
    assert policy.next_action(from_2040, LIMITS, NOW) is Act.POST
    back = after(from_2040, UNKNOWN, now=NOW)
    assert back.waited == from_2040.wait
    assert back.due <= NOW + 600


@pytest.mark.parametrize("stage", WORKING)
def test_an_operator_may_hurry_what_does_not_settle(stage: Stage) -> None:
    assert policy.may_hurry(entry(stage)) == (stage not in SETTLES)


@pytest.mark.parametrize(
    "stage",
    [
        Stage.NEW,
        Stage.FALLBACK,
        Stage.REPEATABLE,
        Stage.SIGNED,
        Stage.ABANDONED,
        Stage.SUPERSEDED,
    ],
)
def test_what_leaves_nothing_to_be_removed_is_superseded(stage: Stage) -> None:
    found = policy.superseded(entry(stage, tries=2), "c2")
    assert found.stage is Stage.SUPERSEDED
    assert found.problem == "Heat asks for a newer config, c2"


@pytest.mark.parametrize(
    "stage",
    [
        Stage.MAYBE_QUEUED,
        Stage.MAYBE_NOTIFIED,
        Stage.LAST_LOOK,
        Stage.LAST_RESORT,
        Stage.WATCHING,
        Stage.UNTAKEN,
        Stage.FORCED,
        Stage.DONE,
    ],
)
def test_what_may_be_on_the_queue_is_removed_at_once_when_it_is_superseded(stage: Stage) -> None:
    found = policy.superseded(entry(stage, tries=2, wait=9.0, due=NOW + 9, waited=7.0), "c2")
    assert found == entry(Stage.CLEANING)


@pytest.mark.parametrize("stage", [Stage.CLEANING, Stage.CLEANING_AGAIN])
def test_what_is_being_removed_goes_on_when_it_is_superseded(stage: Stage) -> None:
    going_on = entry(stage, tries=2, wait=9.0, due=NOW + 9, waited=7.0)
    assert policy.superseded(going_on, "c2") == going_on


SIGNED = (Stage.SIGNED, Stage.WAITING_FOR_HEAT)


@pytest.mark.parametrize("newer", ["c2", None])
def test_what_was_posted_for_an_action_that_is_over_is_forgotten(newer: str | None) -> None:
    posted = entry(Stage.WAITING_FOR_HEAT, due=NOW + 60)
    found = policy.superseded(posted, newer) if newer else policy.vanished(posted)
    assert found == entry(Stage.DONE)


@pytest.mark.parametrize("stage", [each for each in Stage if each is not Stage.WAITING_FOR_HEAT])
def test_what_heat_does_not_ask_for_any_more_goes_its_way(stage: Stage) -> None:
    assert policy.vanished(entry(stage, due=NOW + 9)) == entry(stage, due=NOW + 9)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("first", [Stage.NEW, Stage.REPEATABLE, Stage.SIGNED])
def test_a_program_that_is_set_or_set_no_more_has_perhaps_sent_it(
    stage: Stage, first: Stage
) -> None:
    changed = {
        (Stage.REPEATABLE, Stage.NEW): Stage.MAYBE_QUEUED,
        (Stage.REPEATABLE, Stage.SIGNED): Stage.SIGNED,
        **{(each, Stage.REPEATABLE): Stage.REPEATABLE for each in SIGNED},
    }
    assert policy.suited(entry(stage), first) == entry(changed.get((stage, first), stage))


def test_what_is_posted_is_looked_for_after_a_minute_and_then_ever_less_often() -> None:
    found = after(entry(Stage.SIGNED, problem="before"), ACCEPTED)
    waits = [found.wait]
    while found.stage is Stage.WAITING_FOR_HEAT and len(waits) < 1000:
        assert found.problem == policy.UNACKNOWLEDGED
        found = tried(found, PRESENT, 1)
        waits.append(found.wait)
    assert waits[:5] == [60, 90, 180, 360, 450]
    assert found.stage is Stage.ABANDONED
    assert found.problem == f"not accepted in 86400 s of trying: {policy.UNACKNOWLEDGED}"
    # Zaqar has forgotten the message by then.
    assert sum(waits) > LIMITS.message_ttl


def test_what_the_queue_loses_is_posted_again_and_has_an_end() -> None:
    found = after(entry(Stage.SIGNED), ACCEPTED)
    losses = 0
    while found.stage is Stage.WAITING_FOR_HEAT:
        found = after(found, ABSENT, now=found.due)
        losses += 1
        if found.stage is Stage.SIGNED:
            assert policy.next_action(found, LIMITS, found.due) is Act.POST
            found = after(found, ACCEPTED, now=found.due)
    assert losses == LIMITS.message_ttl / 60
    assert found.stage is Stage.ABANDONED
    assert found.problem == "posted again for 86400 s, and Heat has not acknowledged it"


def test_looks_by_hand_make_nothing_old() -> None:
    found = after(entry(Stage.SIGNED), ACCEPTED)
    for _ in range(10_000):
        found = after(after(found, ABSENT), ACCEPTED)
    assert found == after(entry(Stage.SIGNED), ACCEPTED)


@pytest.mark.parametrize("stage", SIGNED)
def test_an_address_that_is_not_taken_ends_with_its_reason(stage: Stage) -> None:
    found = tried(entry(stage), Outcome.REFUSED, policy.REFUSALS - 1)
    assert (found.stage, found.problem) == (stage, "why")
    found = tried(found, Outcome.REFUSED, 1)
    assert found.stage is Stage.ABANDONED
    assert found.problem == "refused 6 times, the last time so: why"


def test_why_an_address_is_not_usable_is_kept() -> None:
    found = after(entry(), UNUSABLE)
    assert found.stage is Stage.ABANDONED
    assert found.problem == "why"


def test_a_new_stage_begins_without_what_was_counted_before() -> None:
    counted = entry(
        Stage.MAYBE_NOTIFIED, tries=9, refusals=2, content_refusals=1, waited=8.0, answered=8.0,
        unanswered=2, problem="before",
    )  # fmt: skip
    assert after(counted, ACCEPTED) == entry(Stage.CLEANING, due=NOW)
