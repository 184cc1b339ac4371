# SPDX-License-Identifier: Apache-2.0
"""Signal that os-refresh-config has ended, as metadata written for tripleo-image-elements ask for.

``completion-handle`` is a wait condition's URL, ``completion-signal`` one that a resource is
signalled at. Both get it after each run that went well, as they always did; what could not be
reached is signalled by the next run, which the collector begins when this one has failed.
Source: tripleo-image-elements, ``os-refresh-config/post-configure.d/99-refresh-completed``.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from heat_config import log, quick, redact, signals
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.deployment import MetadataError
from heat_config.run.asked import Asked

if TYPE_CHECKING:
    from heat_config.settings import Settings

# What a wait condition takes a PUT at, and a resource a POST.
VERBS = {"completion-handle": "PUT", "completion-signal": "POST"}


def signal(settings: Settings) -> bool:
    """Signal whoever waits; whether none of them is left.

    A refusal counts as an answer: its URL can be that of a wait condition of long ago.
    """
    given = quick.completion(settings)
    urls = {name: given[name] for name in VERBS if name in given}
    for url in urls.values():
        log.conceal(redact.url_secrets(url))
    # The result of a deployment is the better signal, and has been sent to the same URL.
    answered = _answered(settings) if urls else set()
    left = {name: url for name, url in urls.items() if url not in answered}
    message = _message(given.get("instance-id") or os.uname().nodename)
    signalled = [_is_signalled(name, url, message, settings) for name, url in left.items()]
    return all(signalled)


def _message(server: str) -> str:
    """What a wait condition wants to have, and these four alone."""
    reason = "Configuration Complete"
    data = "Finished os-refresh-config."
    return json.dumps({"Status": "SUCCESS", "Reason": reason, "UniqueId": server, "Data": data})


def _answered(settings: Settings) -> set[object]:
    with suppress(OSError, MetadataError):
        return {str(each.values.get("deploy_signal_id")) for each in Asked(settings).read()}
    return set()


def _is_signalled(name: str, url: str, message: str, settings: Settings) -> bool:
    try:
        address = {"deploy_signal_id": url, "deploy_signal_verb": VERBS[name]}
        target = signals.url_of(address, settings).send(message)
    except CloudError as error:
        log.error(f"{name}: {error}")
        return error.outcome.is_refusal or error.outcome is Outcome.UNUSABLE
    log.info(f"{name}: signalled by {target}")
    return True
