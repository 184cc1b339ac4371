# SPDX-License-Identifier: Apache-2.0
"""How one deployment gets its result: run by its hook, or answered without.

What is noted before and after the run is in :mod:`heat_config.run.loop`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import log, redact
from heat_config.result import INTERRUPTED, Result, failure
from heat_config.run import hook, runlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.deployment import Deployment
    from heat_config.settings import Settings

# Bytes of its log that the result of an interrupted run repeats.
SO_FAR = 65_536


def run(deployment: Deployment, settings: Settings) -> Result:
    """Run a deployment; one that cannot be run, or breaks the agent, is a failure."""
    if deployment.error:
        log.error(f"{deployment}: {deployment.error}")
        return failure(f"{deployment.error}\n")
    log.info(f"running {deployment}")
    try:
        result = hook.run(deployment, settings, _follower(deployment, settings))
    except Exception as error:  # whatever happened, Heat is waiting for an answer
        log.error(f"{deployment}: {error!r}")
        return failure(f"the agent could not run the hook: {error!r}\n")
    log.info(f"{deployment} ended with status code {result.status_code}")
    return result


def after_cut(deployment: Deployment, settings: Settings) -> Result:
    """The result of a run that was begun and has none, while no run goes on.

    The config's option ``interrupted`` says what that means: ``fail``, ``rerun``,
    or ``succeed``, as for a script that reboots the server.
    """
    if deployment.error:  # nothing of it was run, or ever will be
        return run(deployment, settings)
    meaning = deployment.item["options"].get("interrupted", "fail")
    log.warning(f"{deployment}: its run was interrupted (option interrupted: {meaning})")
    if meaning == "rerun":
        return run(deployment, settings)
    so_far = runlog.tail(log_path(deployment.id, settings), SO_FAR)
    if meaning == "succeed":
        return Result(0, so_far, "the run was interrupted, as the config expects\n")
    reason = (
        f"{so_far}the run was interrupted: the server or the agent stopped before it had ended, "
        "and what it had started may have gone on. It was not run again. To do so: heat-config "
        f"run --force {deployment.id}, or update the stack.\n"
    )
    return failure(reason)._replace(outputs={INTERRUPTED: True})


def log_path(config_id: str, settings: Settings) -> Path:
    """Where a run's log stands."""
    return Path(settings.logs, f"{config_id}.log")


def _follower(deployment: Deployment, settings: Settings) -> Callable[[str], None]:
    """What takes a hook's lines as they come: the journal and the run's own log."""
    path = log_path(deployment.id, settings)
    secrets = log.concealed()
    size = settings.logs_size // 4
    written = runlog.RunLog(path, size, lambda line: redact.text(line, secrets))

    def take(line: str) -> None:
        log.info(f"{deployment.name}: {line}")
        written.write(line)

    return take
