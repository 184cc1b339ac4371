# SPDX-License-Identifier: Apache-2.0
"""What becomes of a pending result. All that decides about loss and repetition is in this file.

It has no I/O and no clock. :data:`ROWS` is the table: in each stage there is one thing to
do, and what follows each outcome. What does not fit a table stands beside it: how failures
are counted (:func:`_after_failure`), and how long the next try waits (:func:`wait`).

Heat pops one message from the deployment's queue while it is IN_PROGRESS, and takes a
second copy for the result of the next update. It ignores a notification (HEAT_SIGNAL)
unless it waits for one. So a result that may be on the queue is never simply posted again.

No clock decides about loss. Time counts as the sum of the waits that came before tries, so
a clock that jumps makes one try early or late, never old. A try ahead of its time, by an
operator, counts for nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from heat_config.cloud.errors import Outcome
from heat_config.delivery.entry import Entry, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

# Tries of one round, with waits of a second or so between them, and a longer wait after it.
ROUND = 4
# Waits, as multiples of the first one (0.5 s): after the first round (30 s), then twice
# that, up to the longest (10 min).
BACKGROUND, LONGEST = 60, 1200
# The wait before the queue is looked at for a copy that was still on its way (60 s).
SETTLE = 120
# Refusals in a row, each after its wait, after which a result is abandoned: a quarter of an
# hour, because a Keystone that is being mended refuses, too.
REFUSALS = 6
# Content refusals in a row after which a failure that says so goes in the result's place.
# Not the first: a stray answer of a gateway must not make a failure of a good run.
CONTENT_REFUSALS = 2
# Rounds in which Heat did not answer before a result that may have arrived is posted again.
UNANSWERED = 3
# Seconds of waits after which a result is abandoned although nobody answered: Zaqar's
# longest life of a message.
LONGEST_AWAY = 1_209_600
# Bytes: a server whose limit is smaller than this is not one.
SMALLEST = 2_048

# The problem of a result that is where it belongs.
UNACKNOWLEDGED = "posted, and Heat has not acknowledged it yet"


class Act(Enum):
    """What there is to do for a result."""

    POST = "post"
    """Send it by its own transport."""
    LOOK = "look"
    """Look whether it is on the queue."""
    NOTIFY = "notify Heat"
    """Signal the deployment's resource in Heat's API."""
    CLEAN = "clean"
    """Remove a copy from the queue."""
    SETTLE = "settle"
    """Forget it: it was accepted."""
    GIVE_UP = "give up"
    """Put it aside, with the reason in :attr:`Entry.problem`."""


class Wait(NamedTuple):
    """There is nothing to do before a moment, in seconds since the epoch."""

    until: float


class Answer(NamedTuple):
    """What came of an act."""

    outcome: Outcome
    detail: str = ""
    size: int = 0
    """Bytes of the result that was sent."""


class Limits(NamedTuple):
    """What the operator may set; in seconds. See :mod:`heat_config.settings`."""

    first_wait: float
    fallback_after: float
    """Waits after which another way is tried."""
    message_ttl: float
    """Waits, each with an answer, after which a result is abandoned."""


class Moment(NamedTuple):
    """When something is decided."""

    now: float
    """Seconds since the epoch."""
    spread: float
    """From 0 to 1, at random: a thousand servers must not come back at once."""


class Row(NamedTuple):
    """One stage: what is done in it, and what follows."""

    act: Act
    then: Mapping[Outcome, Stage] = {}
    """The outcomes that lead on, at once. All others are failures: it is tried again."""
    intent: Stage | None = None
    """What is on disk while the act may be under way, and holds when its outcome is UNKNOWN."""
    failing: Stage | None = None
    """Where another failure leads; None: it stays."""
    gives_way: Stage | None = None
    """What is tried when this has failed for long."""
    exhausted: Stage = Stage.ABANDONED
    """Where it ends when it has failed for too long."""


ROWS: dict[Stage, Row] = {
    Stage.NEW: Row(
        Act.POST,
        {Outcome.ACCEPTED: Stage.DONE, Outcome.UNUSABLE: Stage.ABANDONED},
        intent=Stage.MAYBE_QUEUED,
        gives_way=Stage.FALLBACK,
    ),
    Stage.MAYBE_QUEUED: Row(
        Act.LOOK,
        {
            Outcome.PRESENT: Stage.DONE,
            Outcome.ABSENT: Stage.MAYBE_NOTIFIED,
            Outcome.UNUSABLE: Stage.ABANDONED,
        },
        gives_way=Stage.MAYBE_NOTIFIED,
    ),
    Stage.FALLBACK: Row(
        Act.NOTIFY,
        {Outcome.ACCEPTED: Stage.DONE},
        intent=Stage.MAYBE_NOTIFIED,
        failing=Stage.NEW,
    ),
    Stage.MAYBE_NOTIFIED: Row(
        Act.NOTIFY, {Outcome.ACCEPTED: Stage.CLEANING}, gives_way=Stage.LAST_LOOK
    ),
    Stage.LAST_LOOK: Row(
        Act.LOOK,
        {Outcome.PRESENT: Stage.WATCHING, Outcome.ABSENT: Stage.LAST_RESORT},
        failing=Stage.MAYBE_NOTIFIED,
    ),
    Stage.LAST_RESORT: Row(
        Act.POST,
        {Outcome.ACCEPTED: Stage.WATCHING},
        intent=Stage.MAYBE_NOTIFIED,
        failing=Stage.MAYBE_NOTIFIED,
    ),
    Stage.WATCHING: Row(
        Act.LOOK,
        {
            Outcome.ABSENT: Stage.DONE,
            Outcome.PRESENT: Stage.UNTAKEN,
            Outcome.UNUSABLE: Stage.DONE,
        },
        exhausted=Stage.DONE,
    ),
    Stage.UNTAKEN: Row(
        Act.NOTIFY,
        {Outcome.ACCEPTED: Stage.CLEANING},
        failing=Stage.WATCHING,
        exhausted=Stage.DONE,
    ),
    Stage.CLEANING: Row(
        Act.CLEAN,
        {Outcome.ACCEPTED: Stage.CLEANING_AGAIN, Outcome.UNUSABLE: Stage.DONE},
        exhausted=Stage.DONE,
    ),
    Stage.CLEANING_AGAIN: Row(
        Act.CLEAN,
        {Outcome.ACCEPTED: Stage.DONE, Outcome.UNUSABLE: Stage.DONE},
        exhausted=Stage.DONE,
    ),
    Stage.FORCED: Row(
        Act.NOTIFY, {Outcome.ACCEPTED: Stage.CLEANING, Outcome.UNUSABLE: Stage.ABANDONED}
    ),
    Stage.REPEATABLE: Row(
        Act.POST, {Outcome.ACCEPTED: Stage.DONE, Outcome.UNUSABLE: Stage.ABANDONED}
    ),
    Stage.SIGNED: Row(
        Act.POST, {Outcome.ACCEPTED: Stage.WAITING_FOR_HEAT, Outcome.UNUSABLE: Stage.ABANDONED}
    ),
    Stage.WAITING_FOR_HEAT: Row(
        Act.LOOK,
        {
            Outcome.ACKNOWLEDGED: Stage.DONE,
            # The queue's storage has lost it.
            Outcome.ABSENT: Stage.SIGNED,
            Outcome.UNUSABLE: Stage.ABANDONED,
        },
    ),
    Stage.DONE: Row(Act.SETTLE),
    Stage.ABANDONED: Row(Act.GIVE_UP),
    Stage.SUPERSEDED: Row(Act.GIVE_UP),
}

# Where what was sent before may still arrive.
_SETTLING = (Stage.WATCHING, Stage.CLEANING_AGAIN)
# What is entered with a wait: Heat, too, needs some time.
_LATER = (*_SETTLING, Stage.WAITING_FOR_HEAT)
# Where a queue is spoken to on which Heat acknowledges.
_SIGNED = (Stage.SIGNED, Stage.WAITING_FOR_HEAT)
# Where a newer config leaves something on the queue to be removed.
_MAY_BE_ANYWHERE = tuple(
    stage for stage in Stage if stage.is_unconfirmed or stage.is_delivered or stage is Stage.FORCED
)


def next_action(entry: Entry, limits: Limits, now: float) -> Act | Wait:
    """What there is to do for a result at this moment, in seconds since the epoch."""
    return ROWS[entry.stage].act if is_due(entry, limits, now) else Wait(entry.due)


def is_due(entry: Entry, limits: Limits, now: float) -> bool:
    """Whether the next try has waited long enough.

    A moment that is further away than the longest wait was noted by a clock that was wrong.
    """
    return not now < entry.due <= now + LONGEST * limits.first_wait


def may_hurry(entry: Entry) -> bool:
    """Whether an operator may have it tried at once; what settles needs its time."""
    return entry.stage not in _SETTLING


def intended(entry: Entry) -> Entry:
    """What must be on disk before the act of the entry's stage begins."""
    intent = ROWS[entry.stage].intent
    if intent is None:
        return entry
    # A second copy is not followed by a third before Heat was asked as often again.
    unanswered = 0 if entry.stage is Stage.LAST_RESORT else entry.unanswered
    return entry._replace(stage=intent, unanswered=unanswered)


def after(entry: Entry, answer: Answer, limits: Limits, moment: Moment) -> Entry:
    """What is known after the act of the entry's stage, and what follows."""
    row = ROWS[entry.stage]
    smaller = answer.size // 2
    if answer.outcome in row.then:
        return _entered(entry, row.then[answer.outcome], answer, limits, moment)
    if answer.outcome is Outcome.TOO_LARGE and smaller >= SMALLEST:
        return entry._replace(limit=smaller, due=moment.now, problem=answer.detail)
    return _after_failure(entry, answer, limits, moment)


def suited(entry: Entry, first: Stage) -> Entry:
    """The entry as its transport is now: a program may since send in the agent's place, or not.

    ``first``: where a result's way begins by that transport.
    """
    if first is Stage.REPEATABLE and entry.stage in _SIGNED:
        return entry._replace(stage=first)
    if first is Stage.REPEATABLE or entry.stage is not Stage.REPEATABLE:
        return entry
    return entry._replace(stage=Stage.SIGNED if first is Stage.SIGNED else Stage.MAYBE_QUEUED)


def vanished(entry: Entry) -> Entry:
    """What follows when Heat does not ask for the config any more: it waits for no answer.

    What was posted is forgotten, because its queue has gone with the deployment and a post would
    make it again. All else goes its way.
    """
    if entry.stage is Stage.WAITING_FOR_HEAT:
        return entry._replace(stage=Stage.DONE, due=0.0)
    return entry


def superseded(entry: Entry, newer: str) -> Entry:
    """What follows when Heat asks for a newer config, by its id, in this one's place.

    Each session asks that again: what is being cleaned already goes on as it is.
    """
    if entry.stage is Stage.WAITING_FOR_HEAT:
        return vanished(entry)
    if ROWS[entry.stage].act is Act.CLEAN:
        return entry
    if entry.stage in _MAY_BE_ANYWHERE:
        # Now, and not after the newer one was run: Heat is looking already.
        return entry._replace(
            stage=Stage.CLEANING, tries=0, refusals=0, wait=0.0, due=0.0, waited=0.0, answered=0.0
        )
    problem = f"Heat asks for a newer config, {newer}"
    return entry._replace(stage=Stage.SUPERSEDED, due=0.0, problem=problem)


def wait(tries: int, limits: Limits, spread: float) -> float:
    """Seconds before a try of the schedule: short within a round, long after it."""
    rounds, position = divmod(tries, ROUND)
    if position:
        return float(limits.first_wait * 2 ** (position - 1) * (0.5 + spread))
    times = min(BACKGROUND * 2 ** min(rounds - 1, 30), LONGEST)
    return float(limits.first_wait * times * (0.5 + spread / 2))


def _entered(entry: Entry, stage: Stage, answer: Answer, limits: Limits, moment: Moment) -> Entry:
    """The entry in a stage that it has reached, where it is tried from the beginning."""
    if stage is Stage.UNTAKEN:  # and back: it is tried ever less often, and has an end
        return _older(entry, entry.wait)._replace(stage=stage, wait=0.0, due=moment.now)
    settle = SETTLE * limits.first_wait if stage in _LATER else 0.0
    # The looks after the first one wait longer than that.
    tries = 2 * ROUND if stage is Stage.WAITING_FOR_HEAT else 0
    entered = entry._replace(
        stage=stage, tries=tries, refusals=0, content_refusals=0, wait=settle,
        due=moment.now + settle, problem=_problem(entry, stage, answer),
    )  # fmt: skip
    if stage.is_delivered:
        return entered._replace(waited=0.0, answered=0.0, unanswered=0)
    if stage is Stage.SIGNED and is_due(entry, limits, moment.now):
        return _posted_again(_older(entered, entry.wait), limits)
    return entered


def _problem(entry: Entry, stage: Stage, answer: Answer) -> str:
    """What an entry says of its way in a stage that it has reached."""
    if stage is Stage.WAITING_FOR_HEAT:
        return UNACKNOWLEDGED
    if stage is Stage.ABANDONED:
        return answer.detail
    return "" if stage.is_delivered else entry.problem


def _older(entry: Entry, pause: float) -> Entry:
    """An entry that the other side has answered after a wait."""
    return entry._replace(waited=entry.waited + pause, answered=entry.answered + pause)


def _posted_again(again: Entry, limits: Limits) -> Entry:
    """A result that the queue has lost: each loss counts, or it would go round for ever."""
    if again.answered < limits.message_ttl:
        return again
    reason = f"posted again for {limits.message_ttl:g} s, and Heat has not acknowledged it"
    return again._replace(stage=Stage.ABANDONED, problem=reason)


def _after_failure(entry: Entry, answer: Answer, limits: Limits, moment: Moment) -> Entry:
    """Count a failure, and plan the next try, or what is tried in its place."""
    row, outcome = ROWS[entry.stage], answer.outcome
    if outcome is Outcome.UNKNOWN and row.intent:
        failed = intended(entry)
    else:
        failed = entry._replace(stage=row.failing or entry.stage)
    failed = failed._replace(
        problem=UNACKNOWLEDGED if outcome is Outcome.PRESENT else answer.detail
    )
    if not is_due(entry, limits, moment.now):
        return failed
    # What is tried in another's place is tried once.
    is_once = row.failing is not None
    ends_round = is_once or not outcome.is_transient or (entry.tries + 1) % ROUND == 0
    tries = (entry.tries // ROUND + 1) * ROUND if ends_round else entry.tries + 1
    pause = wait(tries, limits, moment.spread)
    failed = failed._replace(
        tries=tries,
        wait=pause,
        due=moment.now + pause,
        waited=entry.waited + entry.wait,
        answered=entry.answered + (entry.wait if _is_answer(outcome) else 0),
        refusals=entry.refusals + 1 if outcome.is_refusal else 0,
        content_refusals=_content_refusals(entry, outcome),
    )
    if outcome is Outcome.CONTENT_REFUSED and failed.content_refusals == CONTENT_REFUSALS:
        return failed._replace(wait=0.0, due=moment.now)
    return _after_round(entry, failed, outcome, limits, moment) if ends_round else failed


def _after_round(
    entry: Entry, failed: Entry, outcome: Outcome, limits: Limits, moment: Moment
) -> Entry:
    """What follows when all tries of a round have failed."""
    row = ROWS[entry.stage]
    if row.act is Act.NOTIFY and failed.stage is Stage.MAYBE_NOTIFIED and not outcome.is_refusal:
        failed = failed._replace(unanswered=failed.unanswered + 1)
    refused = failed.refusals >= REFUSALS
    if failed.stage is entry.stage and row.gives_way and _gives_way(failed, outcome, limits):
        # What leads back here goes on counting refusals, or it would go round for ever.
        refusals = failed.refusals if ROWS[row.gives_way].failing else 0
        return failed._replace(stage=row.gives_way, refusals=refusals, wait=0.0, due=moment.now)
    if refused:
        return _exhausted(failed, row, f"refused {failed.refusals} times, the last time so: ")
    if failed.answered >= limits.message_ttl:
        return _exhausted(failed, row, f"not accepted in {limits.message_ttl:g} s of trying: ")
    if failed.waited >= LONGEST_AWAY:
        return _exhausted(failed, row, f"nobody has answered in {LONGEST_AWAY} s of trying: ")
    return failed


def _gives_way(failed: Entry, outcome: Outcome, limits: Limits) -> bool:
    if failed.stage is Stage.MAYBE_NOTIFIED:
        if outcome.is_refusal or failed.unanswered < UNANSWERED:
            return False
    elif failed.refusals >= REFUSALS:
        return True
    return failed.waited >= limits.fallback_after and not outcome.is_refusal


def _exhausted(failed: Entry, row: Row, reason: str) -> Entry:
    return failed._replace(stage=row.exhausted, due=0.0, problem=reason + failed.problem)


def _is_answer(outcome: Outcome) -> bool:
    """Whether the other side was there: only then does a result grow old."""
    return outcome in (Outcome.UNKNOWN, Outcome.PRESENT) or outcome.is_refusal


def _content_refusals(entry: Entry, outcome: Outcome) -> int:
    return entry.content_refusals + 1 if outcome is Outcome.CONTENT_REFUSED else 0
