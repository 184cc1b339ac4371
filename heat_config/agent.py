# SPDX-License-Identifier: Apache-2.0
"""The one loop: deployments in, results out.

Only this module sees both sides, the hooks and the signals. Modules that a run
with nothing to do does not need are imported where they are used.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from heat_config import deployment as deployments
from heat_config import log, redact, signals
from heat_config.store import Store

if TYPE_CHECKING:
    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.settings import Settings
    from heat_config.store import Owed


def run(settings: Settings) -> int:
    """Run what has not been run, and send what is owed; return the exit status.

    A control plane that is away, or a deployment that fails, is no failure of
    this program: os-refresh-config would stop the server's other work for it.
    Only a missing file of deployments is one, as it always was.
    """
    try:
        text = _read_private(settings.config_file)
    except OSError as error:
        log.error(f"cannot read the deployments, {settings.config_file}: {error.strerror}")
        return 1
    try:
        asked = deployments.parse(text)
    except deployments.MetadataError as error:
        log.error(f"{settings.config_file} {error}; nothing in it can be run")
        asked = []
    store = Store(settings)
    if _nothing_to_do(store, asked):
        log.info(f"{len(asked)} deployments, nothing to do")
        return 0
    with store.locked():
        owed_before = store.owed()
        for deployment in asked:
            owed = _answer(deployment, store, settings)
            if owed:
                _deliver(owed, store, settings)
        for owed in owed_before:
            _deliver(owed, store, settings)
    return 0


def deliver(settings: Settings) -> int:
    """Send what is owed; return 0 when nothing is left, else 1."""
    store = Store(settings)
    with store.locked():
        for owed in store.owed():
            _deliver(owed, store, settings)
    return 1 if store.owed_ids() else 0


def _read_private(path: str) -> str:
    """Read the deployments and make sure that nobody else can: they hold passwords."""
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - see the top
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != stat.S_IRUSR | stat.S_IWUSR:
            os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        return file.read()


def _nothing_to_do(store: Store, asked: list[Deployment]) -> bool:
    return not store.owed_ids() and all(
        store.is_done(each.id) and not store.was_cut(each.id) for each in asked
    )


def _answer(deployment: Deployment, store: Store, settings: Settings) -> Owed | None:
    """Run one deployment unless that was done; return what is owed for it."""
    log.conceal(redact.secrets_in(deployment.values))
    try:
        if not store.is_done(deployment.id):
            store.begin(deployment)
            result = _run(deployment, settings)
        elif store.was_cut(deployment.id):
            result = _cut(deployment)
        else:
            return None
        result = result.masked(redact.secrets_in(deployment.values))
        return store.finish(deployment.id, result, signals.address(deployment.values))
    except OSError as error:
        log.error(f"{deployment}: not run or not answered, it will be tried again: {error}")
        return None


def _run(deployment: Deployment, settings: Settings) -> Result:
    from heat_config import hook
    from heat_config.result import failure

    if deployment.error:
        log.error(f"{deployment}: {deployment.error}")
        return failure(f"{deployment.error}\n")
    try:
        result = hook.run(deployment, settings.hook_folders)
    except Exception as error:  # whatever happened, Heat is waiting for an answer
        log.error(f"{deployment}: {error!r}")
        return failure(f"the agent could not run the hook: {error!r}\n")
    log.info(f"{deployment} ended with status code {result.status_code}")
    return result


def _cut(deployment: Deployment) -> Result:
    from heat_config.result import failure

    log.error(f"{deployment}: its run was interrupted; it is not run again")
    return failure(
        "the run was interrupted: the server or the agent stopped before it had ended. It was "
        f"not run again. To run it again, remove {deployment.id}.json from the folder of what "
        "is deployed, or update the stack.\n"
    )


def _deliver(owed: Owed, store: Store, settings: Settings) -> None:
    from heat_config.signals.errors import SignalError

    log.conceal(redact.secrets_in(owed.values))
    try:
        target = _send(owed, store, settings)
    except SignalError as error:
        log.error(f"the result of {owed.id} was not accepted and is kept: {error}")
        return
    except Exception as error:  # a transport's fault is no reason to stop the others
        log.error(f"the result of {owed.id} could not be sent and is kept: {error!r}")
        return
    store.settle(owed.id)
    log.info(f"the result of {owed.id} was accepted by {target}")


def _send(owed: Owed, store: Store, settings: Settings) -> str:
    """Send one result; return where it went, fit for a log."""
    if settings.notify:
        from heat_config.signals import program

        return program.send(settings.notify, store.config_path(owed.id), owed.message)
    return signals.send(owed.id, owed.values, owed.message, settings)
