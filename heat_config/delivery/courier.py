# SPDX-License-Identifier: Apache-2.0
"""Does what the policy says: keeps the intent, performs it, keeps what came of it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from heat_config import log, redact, signals
from heat_config.cloud import limits
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.delivery import policy
from heat_config.delivery.entry import (
    DamagedError,
    Entry,
    NewerError,
    Stage,
    first_stage,
    place_of,
)
from heat_config.delivery.policy import Act, Answer, Limits, Moment, Wait
from heat_config.deployment import facts_of
from heat_config.events import Event
from heat_config.result import Result, failure, from_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from heat_config.delivery.outbox import Box, Outbox
    from heat_config.settings import Settings
    from heat_config.signals.sender import QueueSender, Sender

# Seconds within which the acts of one delivery begin, and each ends within the setting
# ``deadline``. What is still pending then is tried later: other deployments, and other agents
# that want the outbox, are not held up for long.
BUDGET = 10.0


class Records(NamedTuple):
    """What the courier needs of those who have run the configs."""

    note_end: Callable[[Entry], None]
    """Note that a config has ended with this result, unless that is noted."""
    rebuild: Callable[[str], Entry | None]
    """The entry of a config as it follows from what was noted; None where nothing does."""
    config_path: Callable[[str], Path]
    """Where a config stands as it was run."""


class Keeper(Protocol):
    """Where the stages of an entry are kept."""

    def put(self, entry: Entry) -> None:
        """Keep an entry.

        :raises OSError: it could not be kept.
        """

    def settle(self, config_id: str) -> None:
        """Forget an entry: it was accepted."""

    def put_aside(self, entry: Entry) -> None:
        """Keep a result that will not be delivered."""


def limits_of(settings: Settings) -> Limits:
    """What the operator has set of the policy."""
    return Limits(settings.first_wait, settings.fallback_after, float(settings.message_ttl))


class Courier:
    """Delivers results. What is away for one is not tried for the next one."""

    def __init__(self, outbox: Outbox, records: Records, settings: Settings) -> None:
        self._outbox = outbox
        self._records = records
        self._settings = settings
        self._limits = limits_of(settings)
        self._away: set[str] = set()
        self._asked: frozenset[str] = frozenset()
        """The configs that Heat asks for, as far as that is known."""
        self._newest: dict[object, str] = {}
        """Which of them Heat waits for, by the places where it does."""

    def hand_over(self, box: Keeper, entry: Entry) -> None:
        """Take a new result, durably; :meth:`pursue` must follow while the box is held.

        :raises OSError: it could not be kept.
        """
        box.put(entry if self._is_away(entry) else policy.intended(entry))

    def pursue(self, box: Keeper, entry: Entry, *, hurry: bool = False) -> None:
        """Do what there is to do now for an entry that is on disk, and that no newer one replaces.

        ``hurry``: begin before it is due.

        :raises OSError: what came of an act could not be kept.
        """
        log.conceal(redact.secrets_in(entry.address))
        with log.about(deployment_id=entry.id, **facts_of(entry.address)):
            self._pursue(box, self._replaced(box, self._suited(entry)), hurry=hurry)

    def _pursue(self, box: Keeper, entry: Entry, *, hurry: bool) -> None:
        deadline = time.monotonic() + BUDGET
        action = policy.next_action(entry, self._limits, time.time())
        if isinstance(action, Wait) and hurry and policy.may_hurry(entry):
            action = policy.ROWS[entry.stage].act
        while action is not Act.SETTLE and action is not Act.GIVE_UP:
            if isinstance(action, Wait):
                if not _waited_until(action.until, deadline):
                    return
            elif time.monotonic() > deadline:
                return  # what came before has taken long; the timer goes on
            elif self._is_away(entry):
                log.info(f"the result of {entry.id} waits: {_target(entry)} is away")
                return
            else:
                entry = self._step(box, entry, action)
            action = policy.next_action(entry, self._limits, time.time())
        if action is Act.SETTLE:
            box.settle(entry.id)
        else:
            box.put_aside(entry)

    def deliver(self, config_id: str, *, due_only: bool = False) -> None:
        """Deliver one config's result if it is pending.

        :raises OSError: it cannot be kept what came of it.
        """
        with self._outbox.locked() as box:
            entry = self._taken(box, config_id)
            if entry is None:
                return
            if due_only and not policy.is_due(entry, self._limits, time.time()):
                return
            self._records.note_end(entry)
            self.pursue(box, entry, hurry=not due_only)

    def deliver_all(self, *, due_only: bool) -> None:
        """Deliver what is pending, the oldest first."""
        for config_id in self._outbox.in_order():
            try:
                self.deliver(config_id, due_only=due_only)
            except OSError as error:
                log.error(f"the result of {config_id} was not delivered: {error}")

    def expect(self, asked: Mapping[str, Mapping[str, Any]]) -> None:
        """Send from now on nothing that Heat has replaced.

        ``asked``: the inputs of the configs that Heat asks for, by their ids.
        """
        self._asked = frozenset(asked)
        self._newest = {place_of(values): config_id for config_id, values in asked.items()}
        self._newest.pop(None, None)

    def supersede(self) -> None:
        """Put aside what Heat has replaced."""
        for config_id in set(self._outbox.ids()) - self._asked:
            try:
                self._supersede(config_id)
            except OSError as error:
                log.error(f"the result of {config_id}, if Heat has replaced it, is held: {error}")

    def _supersede(self, config_id: str) -> None:
        with self._outbox.locked() as box:
            entry = self._taken(box, config_id)
            if entry and (self._newer(entry) or self._as_asked(entry) != entry):
                self.pursue(box, entry, hurry=True)

    def _replaced(self, box: Keeper, entry: Entry) -> Entry:
        """The entry; of one that Heat has replaced it is noted first that it must not be sent."""
        replaced = self._as_asked(entry)
        if replaced != entry:
            box.put(replaced)
        return replaced

    def _as_asked(self, entry: Entry) -> Entry:
        """The entry, by what Heat asks for. What a server begins with asks for nothing."""
        if not self._asked or entry.id in self._asked:
            return entry
        newer = self._newer(entry)
        return policy.superseded(entry, newer) if newer else policy.vanished(entry)

    def _newer(self, entry: Entry) -> str | None:
        """The config that Heat waits for in this one's place."""
        return None if entry.id in self._asked else self._newest.get(entry.place)

    def _step(self, box: Keeper, entry: Entry, act: Act) -> Entry:
        """One act: the intent is kept before it, and what came of it after it."""
        box.put(policy.intended(entry))
        answer = self._perform(entry, act)
        moment = Moment(time.time(), random.random())  # noqa: S311 - no secret
        found = policy.after(entry, answer, self._limits, moment)
        _report(entry, act, answer)
        if answer.outcome in (Outcome.UNREACHABLE, Outcome.UNKNOWN) and not _is_within_round(found):
            self._away.add(_target(entry))
        if policy.ROWS[found.stage].act not in (Act.SETTLE, Act.GIVE_UP):
            box.put(found)
        return found

    def _perform(self, entry: Entry, act: Act) -> Answer:
        """Do it. What comes of it is noted and shown, so it repeats no secret of the address."""
        answer = self._attempt(entry, act)
        return answer._replace(detail=log.masked(answer.detail))

    def _attempt(self, entry: Entry, act: Act) -> Answer:
        try:
            # Keystone, the catalog and the queue together: the outbox is held meanwhile.
            with limits.within(self._settings.deadline):
                return self._do(entry, act)
        except CloudError as error:
            return Answer(error.outcome, str(error))
        except Exception as error:  # a transport's fault must not stop the others
            return Answer(Outcome.UNKNOWN, repr(error))

    def _do(self, entry: Entry, act: Act) -> Answer:
        match act:
            case Act.POST:
                return self._send(entry, self._sender(entry))
            case Act.NOTIFY:
                return self._send(entry, signals.heat_of(entry.address, self._settings))
            case Act.LOOK:
                return Answer(self._queue(entry).find())
            case _:
                self._queue(entry).remove()
                return Answer(Outcome.ACCEPTED)

    def _send(self, entry: Entry, sender: Sender) -> Answer:
        log_path = f"{self._settings.logs}/{entry.id}.log"
        result = from_dict(entry.message)
        if entry.content_refusals >= policy.CONTENT_REFUSALS:
            result = _instead(result, entry.problem, log_path)
        sent = result.fitted(min(sender.limit, entry.limit or sender.limit), log_path)
        try:
            return Answer(Outcome.ACCEPTED, sender.post(sent))
        except CloudError as error:
            return Answer(error.outcome, str(error), len(sent.as_json()))

    def _sender(self, entry: Entry) -> Sender:
        config = self._records.config_path(entry.id)
        return signals.sender_of(entry.address, entry.id, self._settings, config)

    def _queue(self, entry: Entry) -> QueueSender:
        return signals.queue_of(entry.address, entry.id, self._settings)

    def _taken(self, box: Box, config_id: str) -> Entry | None:
        """A pending entry; one that is damaged is made anew from what was noted of the run."""
        try:
            entry = box.get(config_id)
        except NewerError as error:
            log.warning(f"the result of {config_id} is left to the agent that wrote it: {error}")
            return None
        except DamagedError as error:
            entry = self._records.rebuild(config_id)
            aside = box.replace_damaged(config_id, entry)
            then = "it is pending again" if entry else "nothing that was noted says what it was"
            log.error(f"{aside} holds no result that can be read ({error}); {then}")
        return entry

    def _suited(self, entry: Entry) -> Entry:
        first = first_stage(entry.address, program=self._settings.notify, forced=False)
        return policy.suited(entry, first)

    def _is_away(self, entry: Entry) -> bool:
        return _target(entry) in self._away


def _target(entry: Entry) -> str:
    """What must answer next for this result: a service at a host."""
    address = entry.address
    notifies = policy.ROWS[entry.stage].act is Act.NOTIFY
    transport = signals.transport(address)
    if transport in (signals.Transport.URL, signals.Transport.SIGNED) and not notifies:
        return redact.url(address["deploy_signal_id"]).partition("://")[2].partition("/")[0]
    is_queue = transport is signals.Transport.QUEUE and not notifies
    return f"{'Zaqar' if is_queue else 'Heat'} by {redact.url(address.get('deploy_auth_url'))}"


def _is_within_round(entry: Entry) -> bool:
    """Whether the next try belongs to the same round."""
    return entry.tries % policy.ROUND != 0


def _waited_until(moment: float, deadline: float) -> bool:
    """Wait until a moment of the clock, unless that is after a deadline of the monotonic one."""
    left = moment - time.time()
    if time.monotonic() + left > deadline:
        return False
    time.sleep(max(left, 0.0))
    return True


def _report(entry: Entry, act: Act, answer: Answer) -> None:
    what = f"the result of {entry.id}"
    if answer.outcome is Outcome.ACCEPTED and answer.detail:
        log.info(f"{what} was accepted by {answer.detail}", Event.DELIVERED)
    elif answer.outcome is Outcome.ACKNOWLEDGED:
        # Of a run that was forced, this may be the word on the first result: Heat keeps that one.
        log.info(f"Heat has acknowledged a result of {entry.id}", Event.DELIVERED)
    elif answer.outcome is Outcome.ABSENT and entry.stage is Stage.WAITING_FOR_HEAT:
        log.warning(f"{what} was lost by the queue before Heat acknowledged it: it is posted again")
    elif answer.outcome not in (Outcome.ACCEPTED, Outcome.PRESENT, Outcome.ABSENT):
        said = f"{what} is kept: {act.value}: {answer.outcome.value}: {answer.detail}"
        # A service that is away for a day is away once.
        write = log.debug if answer.detail == entry.problem else log.warning
        write(said, Event.PENDING)


def _instead(result: Result, reason: str, log_path: str) -> Result:
    """What can be sent in place of a result whose content is refused.

    Zaqar, for one, takes no integer of more than 64 bits.
    """
    code = result.status_code if result.failed else 1
    return failure(
        f"the run ended with status code {result.status_code}, but its result was refused: "
        f"{reason}. What it wrote is on the server in {log_path}\n",
        code if isinstance(code, int) and 0 < code < 256 else 1,
    )
