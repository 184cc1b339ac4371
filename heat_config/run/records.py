# SPDX-License-Identifier: Apache-2.0
"""What the delivery of results needs of what was noted of the runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from heat_config import deployment, log, signals
from heat_config.delivery.courier import Records
from heat_config.delivery.entry import Entry, NewerError, Stage, first_stage, safe_stage
from heat_config.result import from_dict

if TYPE_CHECKING:
    from heat_config.delivery.outbox import Outbox
    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.run.store import Store
    from heat_config.settings import Settings


def records(store: Store, settings: Settings) -> Records:
    """The courier's questions, answered by the store."""

    def note_end(entry: Entry) -> None:
        if not store.has_ended(entry.id):
            store.end(entry.id, from_dict(entry.message))

    def rebuild(config_id: str) -> Entry | None:
        return _rebuilt(config_id, store, settings)

    return Records(note_end, rebuild, store.config_path)


def entry_of(
    target: Deployment, result: Result, settings: Settings, *, forced: bool
) -> Entry | None:
    """A result on its way; None when nobody waits for it."""
    address = signals.address(target.values)
    if not address:
        return None
    stage = first_stage(address, program=settings.notify, forced=forced)
    message = carried(target, result, settings).as_dict()
    return Entry(target.id, address, message, stage, since=time.time())


def signal_of(target: Deployment, outbox: Outbox) -> str:
    """What has become of a result that was just kept: a word of ``heat-config status``."""
    if not signals.transport(target.values):
        return "none"
    try:
        entry = outbox.get_readable(target.id)
    except NewerError:
        return "pending"
    if entry and not entry.stage.is_delivered:
        return "unconfirmed" if entry.stage.is_unconfirmed else "pending"
    set_aside = outbox.get_abandoned(target.id)
    return set_aside.stage.value if set_aside else "delivered"


def carried(target: Deployment, result: Result, settings: Settings) -> Result:
    """What of a result may be sent at all: all that are kept must not fill the disk.

    Outputs that alone are too large are left: whoever sends them says what would fit.
    """
    if settings.notify:
        return result
    fitted = result.fitted(signals.LARGEST, f"{settings.logs}/{target.id}.log")
    return fitted if fitted.outputs == result.outputs else result


def _rebuilt(config_id: str, store: Store, settings: Settings) -> Entry | None:
    """An entry that was lost; whether it has arrived is not known."""
    try:
        target = deployment.read(store.item(config_id))
        result = store.result(config_id)
    except (OSError, ValueError) as error:
        # Without a result the next run reports it as interrupted.
        log.error(f"the entry of {config_id} cannot be made anew: {error}")
        return None
    found = entry_of(target, result, settings, forced=store.begun(config_id).forced)
    if found is None or found.stage is not Stage.NEW:
        return found
    return found._replace(stage=safe_stage(found.address))
