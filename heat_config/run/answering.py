# SPDX-License-Identifier: Apache-2.0
"""How one deployment gets its result: run by its hook, or answered without.

What is noted before and after the run is in :mod:`heat_config.run.loop`.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from heat_config import log, process
from heat_config.events import Event
from heat_config.result import INTERRUPTED, TIMES, Result, failure
from heat_config.run import hook, runlog
from heat_config.run.scope import Scope
from heat_config.terminal import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.deployment import Deployment
    from heat_config.run.store import Begun
    from heat_config.settings import Settings

# Bytes of its log that the result of an interrupted run repeats.
SO_FAR = 65_536


def run(
    deployment: Deployment,
    settings: Settings,
    scope: Scope,
    watch: Callable[[str], None] | None = None,
) -> Result:
    """Run a deployment; one that cannot be run, or breaks the agent, is a failure.

    ``watch``: what else takes the hook's lines as they come.
    """
    if deployment.error:
        return invalid(deployment)
    log.info(f"running {deployment}", Event.BEGUN)
    at, begun = time.time(), time.monotonic()
    try:
        result = hook.run(deployment, settings, _follower(deployment, settings, watch), scope)
    except Exception as error:  # whatever happened, Heat is waiting for an answer
        log.error(f"{deployment}: {error!r}", Event.FAILED)
        return failure(f"the agent could not run the hook: {error!r}\n")
    seconds = time.monotonic() - begun
    report(deployment, result, seconds)
    return _timed(deployment, result, at, seconds)


def _timed(deployment: Deployment, result: Result, begun: float, seconds: float) -> Result:
    """With when it ran as an output, in seconds since the epoch, if its config declares that."""
    if all(output["name"] != TIMES for output in deployment.item["outputs"]):
        return result
    times = {"begun": round(begun, 3), "ended": round(begun + seconds, 3)}
    return result._replace(outputs={**result.outputs, TIMES: times})


def report(deployment: Deployment, result: Result, seconds: float | None = None) -> None:
    """Say how a run has ended, and of one that has failed why."""
    ended = f"{deployment} ended with status code {result.status_code}"
    write, event, why = log.info, Event.DONE, ""
    if result.failed:
        write, event, why = log.warning, Event.FAILED, result.reason and f": {result.reason}"
    duration = None if seconds is None else f"{seconds:.3f}"
    write(ended + why, event, status_code=result.status_code, duration=duration)


def invalid(deployment: Deployment) -> Result:
    """The result of a deployment that cannot be run, which says why."""
    log.error(f"{deployment}: {deployment.error}", Event.FAILED)
    return failure(f"{deployment.error}\n")


def not_run(error: OSError) -> Result:
    """The result of a config for which the disk has too little room."""
    return failure(f"not run, because the disk is full: {error}\n")


def is_to_be_repeated(deployment: Deployment) -> bool:
    """Whether a run that was cut is to be run again (option ``interrupted: rerun``)."""
    return not deployment.error and _meaning(deployment) == "rerun"


def end_processes(begun: Begun) -> None:
    """End what a run that was cut has left running, before it is run again.

    :raises OSError: that is not possible, so it must not be run now.
    """
    scope = Scope.from_note(begun.scope)
    if scope is None or not scope.lives():
        return
    log.warning("the run before has left processes behind: they are ended first")
    if not scope.end(process.GRACE):
        raise OSError(errno.EBUSY, "processes of the run before cannot be ended")


def after_cut(deployment: Deployment, begun: Begun, settings: Settings) -> Result:
    """The result of a run that was begun and has none, while no run goes on.

    The config's option ``interrupted`` says what that means: ``fail`` or ``succeed``, for a
    script that reboots the server: only a reboot counts.
    """
    if deployment.error:  # nothing of it was run, or ever will be
        return invalid(deployment)
    meaning = _meaning(deployment)
    said = f"{deployment}: its run was interrupted (option interrupted: {meaning})"
    log.warning(said, Event.INTERRUPTED)
    scope = Scope.from_note(begun.scope)
    so_far = runlog.tail(runlog.path_of(deployment.id, settings), SO_FAR)
    # An agent of before has noted no scope.
    rebooted = scope is None or scope.rebooted
    if meaning == "succeed" and rebooted:
        return Result(0, so_far, "the run was interrupted, as the config expects\n")
    lives = scope is not None and scope.lives()
    unknown = "the server or the agent stopped" if rebooted else "the agent stopped"
    why = _why_cut(deployment, begun.stopped or unknown, lives=lives)
    return failure(so_far + why)._replace(outputs={INTERRUPTED: True})


def _meaning(deployment: Deployment) -> str:
    return str(deployment.item["options"].get("interrupted", "fail"))


def _why_cut(deployment: Deployment, cause: str, *, lives: bool) -> str:
    goes_on = "What it had started is still running. " if lives else ""
    return (
        f"the run was interrupted: {cause} before it had ended. {goes_on}It was not run again. "
        f"To do so: heat-config run --force {deployment.id}, or update the stack.\n"
    )


def _follower(
    deployment: Deployment, settings: Settings, watch: Callable[[str], None] | None
) -> Callable[[str], None]:
    """What takes a hook's lines as they come: the journal, the run's own log, who watches."""
    path = runlog.path_of(deployment.id, settings)
    size = settings.logs_size // 4
    name = shown(deployment.name)
    written = runlog.RunLog(path, size)

    def take(lines: str) -> None:
        lines = log.masked_lines(lines)
        log.output(name, lines, Event.OUTPUT)
        written.write(lines)
        if watch:
            watch(lines)

    return take
