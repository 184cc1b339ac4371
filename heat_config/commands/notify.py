# SPDX-License-Identifier: Apache-2.0
"""Deliver one result by hand: what heat-config-notify does."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from heat_config import deployment, log, readable
from heat_config.delivery.courier import Courier
from heat_config.delivery.entry import NewerError
from heat_config.delivery.outbox import Outbox
from heat_config.delivery.unkept import Unkept
from heat_config.result import from_dict
from heat_config.run.records import entry_of, records
from heat_config.run.store import Store
from heat_config.signals.program import DELIVERING

if TYPE_CHECKING:
    from pathlib import Path

    from heat_config.delivery.entry import Entry
    from heat_config.delivery.outbox import Box
    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings

ACCEPTED, NOT_ACCEPTED, UNUSABLE = 0, 1, 2


def send(config: Path, raw: bytes, settings: Settings) -> int:
    """Deliver a result for a config; return the exit status.

    What is not accepted now stays in the outbox, and is tried again.
    """
    try:
        target = deployment.read(readable.loads(config.read_bytes()))
    except (OSError, ValueError) as error:
        log.error(f"no deployment can be read from {config}: {error}")
        return UNUSABLE
    message = _message(raw)
    if message is None:
        return UNUSABLE
    log.conceal(target.secrets)
    # It must not start itself, which as HEAT_CONFIG_NOTIFY it would.
    own = settings._replace(notify=None)
    try:
        accepted = _delivered(target, from_dict(message).masked(log.masked), own)
    except (OSError, NewerError) as error:
        log.error(f"the result of {target} cannot be kept, and was not sent: {error}")
        return NOT_ACCEPTED
    return ACCEPTED if accepted else NOT_ACCEPTED


def _delivered(target: Deployment, result: Result, settings: Settings) -> bool:
    outbox, store = Outbox(settings), Store(settings)
    # Started by the agent it finds the outbox held, and the agent keeps the result itself.
    with nullcontext() if DELIVERING in os.environ else outbox.locked() as box:
        # Only now: whoever held it until now may have delivered a result.
        forced = _is_answered(target, outbox, store)
        entry = entry_of(target, result, settings, forced=forced)
        if entry is None:
            log.info(f"nobody waits for the result of {target}")
            return True
        courier = Courier(outbox, records(store, settings), settings)
        if box:
            return _is_accepted(entry, box, courier, store)
        unkept = Unkept()
        courier.pursue(unkept, entry)
        return unkept.is_delivered


def _is_accepted(entry: Entry, box: Box, courier: Courier, store: Store) -> bool:
    """Keep a result, in place of what is pending of its config, and try to deliver it."""
    pending = box.get_readable(entry.id)
    if pending:
        entry = pending._replace(message=entry.message)
    courier.hand_over(box, entry)
    box.forget_abandoned(entry.id)
    if store.has_begun(entry.id) and not store.has_ended(entry.id):
        store.end(entry.id, from_dict(entry.message))
    courier.pursue(box, entry, hurry=True)
    return _is_delivered(box.get(entry.id), box.get_abandoned(entry.id))


def _is_answered(target: Deployment, outbox: Outbox, store: Store) -> bool:
    """Whether Heat may have an answer already: then it is only notified."""
    was_abandoned = target.id in outbox.abandoned_ids()
    return was_abandoned or (store.has_ended(target.id) and store.is_own(target.id))


def _is_delivered(pending: Entry | None, abandoned: Entry | None) -> bool:
    return abandoned is None and (pending is None or pending.stage.is_accepted)


def _message(raw: bytes) -> dict[str, Any] | None:
    """The result on stdin, which must not be empty.

    Heat takes the first message as final and an empty one as a success.
    """
    try:
        message = readable.loads(raw)
    except ValueError as error:
        log.error(f"stdin holds no result: {error}. Nothing was sent")
        return None
    if not isinstance(message, dict) or not message:
        log.error("stdin holds no result, which is a JSON object. Nothing was sent")
        return None
    return message
