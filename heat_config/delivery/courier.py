# SPDX-License-Identifier: Apache-2.0
"""Sends what the outbox holds, and decides what becomes of what is not accepted."""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from heat_config import deployment, log, redact, signals
from heat_config.cloud.errors import CloudError
from heat_config.delivery.outbox import Entry, place_of
from heat_config.result import from_dict
from heat_config.signals import retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.delivery.outbox import Outbox
    from heat_config.run.store import Store
    from heat_config.settings import Settings
    from heat_config.signals.sender import Accepted, Sender

# A result that was not accepted at once waits 60 times as long as between the
# first tries, then twice that, and so on up to 1200 times: 30 s to 10 minutes.
BACKGROUND = 60
LONGEST = 1200
# Refusals in a row after which a result is given up, a quarter of an hour with the
# waits above: a Keystone that is being mended refuses too.
REFUSALS = 6
# Seconds after which the queue is looked at for a copy that Heat did not take.
CLEAN_AFTER = 60


class Courier:
    """Sends results. What is away for one is not tried for the next in this run."""

    def __init__(self, outbox: Outbox, store: Store, settings: Settings) -> None:
        self._outbox = outbox
        self._store = store
        self._settings = settings
        self._away: set[str] = set()
        self._tried: set[str] = set()

    def deliver(self, config_id: str, *, fresh: bool = False, due_only: bool = False) -> None:
        """Send what is owed for one config, unless another process just did.

        ``fresh``: it was put into the outbox by this process and never tried.
        """
        with self._outbox.locked():
            entry = self._outbox.get(config_id) or self._restored(config_id)
            if entry is None or (due_only and not self._is_due(entry)):
                return
            self._tried.add(entry.id)
            log.conceal(redact.secrets_in(entry.values))
            if not self._store.result_path(entry.id).exists():
                # The run stopped before it noted its end, and will look for that
                # or for this entry.
                self._store.end(entry.id, from_dict(entry.message))
            if fresh:
                entry = entry._replace(doubt=False)
            if self._place(entry) in self._away:
                log.info(f"the result of {entry.id} waits: {self._place(entry)} is away")
                self._outbox.put(entry)
                return
            if not (fresh or entry.doubt or entry.told_heat):
                # On disk there is doubt from here on, in case this try is cut short.
                self._outbox.put(entry._replace(doubt=True))
            self._try(entry)

    def deliver_all(self, *, due_only: bool) -> None:
        """Send what is owed, the oldest first."""
        readable = [entry.id for entry in self._outbox.entries()]
        damaged = sorted(set(self._outbox.ids()) - set(readable))
        for config_id in (*readable, *damaged):
            try:
                self.deliver(config_id, due_only=due_only)
            except OSError as error:
                log.error(f"the result of {config_id} was not sent: {error}")

    def drop_superseded(self, asked: Mapping[str, Mapping[str, Any]]) -> None:
        """Give up results whose deployment has a newer config.

        ``asked``: the inputs of the configs that Heat asks for now. It waits for
        one answer in one place: an older one would be taken for it.
        """
        newest = {place_of(values): each for each, values in asked.items()}
        for config_id in self._outbox.ids():
            if config_id not in asked and self._is_superseded(config_id, newest):
                # Now, and not after the newer one was run: Heat is looking already.
                self.deliver(config_id)

    def _is_superseded(self, config_id: str, newest: Mapping[object, str]) -> bool:
        """Whether there is a newer config; what then is left of this one is to be removed."""
        with self._outbox.locked():
            entry = self._outbox.get(config_id)
            newer = newest.get(entry.place) if entry and entry.place else None
            if entry is None or newer is None:
                return False
            if entry.told_heat or (entry.doubt and entry.values.get("deploy_queue_id")):
                self._outbox.put(entry._replace(told_heat=True, due=0.0))
            else:
                self._outbox.abandon(entry, f"Heat asks for a newer config, {newer}")
        return True

    def _restored(self, config_id: str) -> Entry | None:
        """What a damaged entry owed, from the config and the result that are kept."""
        if config_id not in self._outbox.ids():
            return None
        aside = self._outbox.set_aside(config_id)
        try:
            item = json.loads(self._store.config_path(config_id).read_bytes())
            result = from_dict(json.loads(self._store.result_path(config_id).read_bytes()))
            since = self._store.result_path(config_id).stat().st_mtime
        except (OSError, ValueError, TypeError, AttributeError) as error:
            # Without a result the next run reports it as interrupted.
            log.error(f"{aside} cannot be made anew from what is kept: {error}")
            return None
        address = signals.address(deployment.read(item).values)
        if not address:
            return None
        log.warning(f"{aside} is damaged; its result is owed again from what is kept")
        entry = Entry(config_id, address, result.as_dict(), since)
        self._outbox.put(entry)
        return entry

    def _is_due(self, entry: Entry) -> bool:
        return entry.id not in self._tried and entry.due <= time.time()

    def _try(self, entry: Entry) -> None:
        sender: Sender | None = None
        try:
            config = self._store.config_path(entry.id)
            told = entry._replace(doubt=True, heat_doubt=True)
            before_heat = partial(self._outbox.put, told)
            sender = signals.sender_for(entry, self._settings, config, before_heat)
            if entry.told_heat:
                self._clean(sender)
                self._outbox.settle(entry.id)
                return
            log_path = f"{self._settings.logs}/{entry.id}.log"
            answer = from_dict(entry.message)
            wait = self._settings.first_wait
            accepted = retry.until_accepted(
                sender, answer, log_path, wait, refused_before=entry.bad_content
            )
        except CloudError as error:
            self._not_accepted(entry, error, sender)
        except Exception as error:  # a transport's fault must not stop the others
            fault = CloudError(repr(error), retry=True, uncertain=True)
            self._not_accepted(entry, fault, sender)
        else:
            self._accepted(entry, accepted, sender)

    def _accepted(self, entry: Entry, accepted: Accepted, sender: Sender) -> None:
        log.info(f"the result of {entry.id} was accepted by {accepted.target}")
        if accepted.leaves_copy:
            # At once, because an update may come, and later, for one still on its way.
            with suppress(CloudError):
                self._clean(sender)
            due = time.time() + CLEAN_AFTER
            self._outbox.put(entry._replace(told_heat=True, due=due, tries=0, refusals=0))
        else:
            self._outbox.settle(entry.id)

    def _clean(self, sender: Sender) -> None:
        deadline = time.monotonic() + retry.BUDGET
        for number in range(1, retry.TRIES + 1):
            try:
                sender.clean()
            except CloudError:
                if number == retry.TRIES or time.monotonic() > deadline:
                    raise
            else:
                return

    def _not_accepted(self, entry: Entry, error: CloudError, sender: Sender | None) -> None:
        refusals = 0 if error.retry else entry.refusals + 1
        if error.retry:
            self._away.add(self._place(entry))
        tried = entry._replace(
            doubt=(sender.doubt if sender else entry.doubt) or error.uncertain,
            heat_doubt=sender.heat_doubt if sender else entry.heat_doubt,
            tries=entry.tries + 1,
            refusals=refusals,
            bad_content=error.bad_content,
            problem=str(error),
        )
        tried = tried._replace(due=time.time() + self._wait(tried.tries))
        age = time.time() - entry.since
        if error.hopeless:
            self._give_up(tried, str(error))
        elif refusals >= REFUSALS:
            self._give_up(tried, f"refused {refusals} times, the last time so: {error}")
        elif age > self._settings.message_ttl:
            self._give_up(tried, f"older than {self._settings.message_ttl} s: {error}")
        else:
            log.error(f"the result of {entry.id} was not accepted and is kept: {error}")
            self._outbox.put(tried)

    def _give_up(self, entry: Entry, reason: str) -> None:
        if entry.told_heat:  # only a copy on the queue was left, and that has an end too
            self._outbox.settle(entry.id)
        else:
            self._outbox.abandon(entry, reason)

    def _wait(self, tries: int) -> float:
        times = min(BACKGROUND * 2 ** min(tries - 1, 30), LONGEST)
        spread: float = random.uniform(0.5, 1.0)  # noqa: S311 - for a thousand servers, not for secrets
        return float(times * self._settings.first_wait * spread)

    def _place(self, entry: Entry) -> str:
        """What must answer for this result to be accepted."""
        values = entry.values
        return redact.url(values.get("deploy_signal_id") or values.get("deploy_auth_url"))
