# SPDX-License-Identifier: Apache-2.0
"""Send one result by hand: what heat-config-notify does."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from heat_config import deployment, log, redact, signals
from heat_config.cloud.errors import CloudError
from heat_config.delivery.outbox import Entry
from heat_config.result import from_dict
from heat_config.signals import retry

if TYPE_CHECKING:
    from pathlib import Path

    from heat_config.settings import Settings

ACCEPTED, NOT_ACCEPTED, UNUSABLE = 0, 1, 2


def send(config: Path, raw: bytes, settings: Settings) -> int:
    """Send a result for a config; return the exit status."""
    try:
        target = deployment.read(json.loads(config.read_bytes()))
    except (OSError, ValueError) as error:
        log.error(f"no deployment can be read from {config}: {error}")
        return UNUSABLE
    message = _message(raw)
    if message is None:
        return UNUSABLE
    log.conceal(redact.secrets_in(target.values))
    if not signals.transport(target.values):
        log.info(f"nobody waits for the result of {target}")
        return ACCEPTED
    result = from_dict(message).masked(redact.secrets_in(target.values))
    entry = Entry(target.id, target.values, result.as_dict(), since=time.time(), doubt=False)
    # It must not start itself, which as HEAT_CONFIG_NOTIFY it would.
    own = settings._replace(notify=None)
    try:
        sender = signals.sender_for(entry, own, config)
        accepted = retry.until_accepted(sender, result, str(config), settings.first_wait)
    except CloudError as error:
        log.error(f"the result of {target} was not accepted: {error}")
        return NOT_ACCEPTED
    log.info(f"the result of {target} was accepted by {accepted.target}")
    return ACCEPTED


def _message(raw: bytes) -> dict[str, Any] | None:
    """The result on stdin, which must not be empty.

    Heat takes the first message as final and an empty one as a success.
    """
    try:
        message = json.loads(raw)
    except ValueError as error:
        log.error(f"stdin holds no result: {error}. Nothing was sent")
        return None
    if not isinstance(message, dict) or not message:
        log.error("stdin holds no result, which is a JSON object. Nothing was sent")
        return None
    return message
