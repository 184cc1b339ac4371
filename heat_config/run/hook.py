# SPDX-License-Identifier: Apache-2.0
"""How a deployment is run: find the hook of its group, run it, read its answer."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import log, process, redact, result
from heat_config.run import secrets
from heat_config.run.heat_agents import is_of_heat_agents
from heat_config.run.removed import is_to_be_cancelled
from heat_config.run.stdout import Stdout
from heat_config.settings import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.run.scope import Scope
    from heat_config.settings import Settings

# Characters of a value of an option that a message repeats.
LONGEST_VALUE = 80


# Seconds before a hook that could not import our package is started again, half a minute in
# all: pip removes the old package, and then writes the new one.
WAITS = (0.5, 1, 2, 4, 8, 15)
# The first that such a hook has written, in its first statements. It has done nothing yet.
_FAULT_AT_IMPORT = re.compile(
    rb"Traceback \(most recent call last\):\n"
    rb'  File "[^"\n]*", line \d+, in <module>\n'
    rb"    (?:from|import) heat_config\b"
)


def run(
    deployment: Deployment,
    settings: Settings,
    on_lines: Callable[[str], None],
    scope: Scope,
) -> Result:
    """Run a deployment with its group's hook; whatever happens is a result.

    The lines that the hook logs go to ``on_lines`` as they come. The time limit
    ends all that is in the ``scope``; what is left there in time is left alone.
    """
    try:
        return _run(deployment, settings, on_lines, scope)
    finally:
        scope.tidy()


def _run(
    deployment: Deployment, settings: Settings, on_lines: Callable[[str], None], scope: Scope
) -> Result:
    path = find(deployment.group, settings.hook_folders)
    if path is None:
        return _without_hook(deployment.group, settings.hook_folders)
    limit = time_limit(deployment, settings)
    if limit is None:
        given = deployment.item["options"]["timeout"]
        return result.failure(
            f"the option timeout is {_brief(given)}, and must be a number of seconds, more than 0 "
            f"and at most {LONGEST}\n"
        )

    def start() -> process.Completed:
        stdout = Stdout(on_lines)
        with secrets.folder(settings, scope, deployment.id) as variables:
            completed = process.run(
                [path],
                stdin=json.dumps(_for_hook(deployment)).encode("ascii"),
                env={**os.environ, **variables},
                on_stdout=stdout.take,
                on_stderr=on_lines,
                time_limit=limit,
                scope=scope,
                cancelled=_question(deployment, settings),
            )
        stdout.finish(completed)
        return completed

    try:
        return result.from_hook(_begun(start))
    except OSError as error:
        return result.failure(_cannot_start(path, error), process.CANNOT_EXECUTE)


def _question(deployment: Deployment, settings: Settings) -> Callable[[], bool] | None:
    """What is asked while the hook runs: whether it is to be cancelled."""
    if "on_removed" not in deployment.item["options"]:
        return None
    return lambda: is_to_be_cancelled(deployment, settings)


def _begun(start: Callable[[], process.Completed]) -> process.Completed:
    """Start a hook until it has begun: while our package is exchanged it cannot.

    :raises OSError: it cannot be started.
    """
    for seconds in WAITS:
        completed = start()
        if not _FAULT_AT_IMPORT.match(completed.stderr):
            return completed
        log.warning(f"the hook cannot import heat_config: it is started again in {seconds} s")
        time.sleep(seconds)
    return start()


def find(group: str, folders: Iterable[str]) -> Path | None:
    """The hook of a group: the file of its name in the first folder that has it.

    A hook of heat-agents, which a moved server still has, gives way to any other. The
    name is reduced to letters, digits, ``-`` and ``_``, so that it stays in the folder.
    """
    name = "".join(character for character in group if character.isalnum() or character in "-_")
    if not name:
        return None
    found = [path for path in (Path(folder, name) for folder in folders) if path.is_file()]
    others = found if len(found) < 2 else [path for path in found if not is_of_heat_agents(path)]
    return next(iter(others or found), None)


def available(folders: Iterable[str]) -> list[str]:
    """The groups that this server has a hook for."""
    names = {
        entry.name
        for folder in folders
        if Path(folder).is_dir()
        for entry in Path(folder).iterdir()
        if entry.is_file() and not entry.name.startswith(".")
    }
    return sorted(names)


def _for_hook(deployment: Deployment) -> dict[str, Any]:
    """The config without the credentials, unless its options ask for them.

    They are the agent's, to answer with; a hook needs them only to talk to Heat
    itself (option ``credentials: true``).
    """
    item = deployment.item
    if item["options"].get("credentials") is True:
        return item
    inputs = [entry for entry in item["inputs"] if entry["name"] not in redact.CREDENTIALS]
    return {**item, "inputs": [_without_credentials(entry) for entry in inputs]}


def _without_credentials(entry: dict[str, Any]) -> dict[str, Any]:
    if entry["name"] not in redact.URL_INPUTS or not entry.get("value"):
        return entry
    return {**entry, "value": redact.url(entry["value"])}


def time_limit(deployment: Deployment, settings: Settings) -> float | None:
    """The seconds that the hook may take; None when the option is none of which one can wait."""
    given = deployment.item["options"].get("timeout")
    if given is None:
        return settings.time_limit
    try:
        seconds = 0.0 if isinstance(given, bool) else float(given)
    except (OverflowError, TypeError, ValueError):
        return None
    return seconds if 0 < seconds <= LONGEST else None


def _brief(given: object) -> str:
    text = repr(given)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _without_hook(group: str, folders: Iterable[str]) -> Result:
    groups = available(folders)
    there = f"there are hooks for {', '.join(groups)}" if groups else "there are no hooks at all"
    return result.failure(
        f"no hook for group {group!r} on this server: {there}. Build the image "
        f"with the element heat-config-{group}, or put a hook into "
        f"{' or '.join(folders)}.\n",
        process.NOT_FOUND,
    )


def _cannot_start(path: Path, error: OSError) -> str:
    if not os.access(path, os.X_OK):
        return f"the hook {path} is not executable: chmod 0755 {path}\n"
    if error.errno in (errno.ENOENT, errno.ENOEXEC):
        return f"the hook {path} cannot be started: look at its first line, #!… ({error})\n"
    return f"the hook {path} cannot be started: {error}\n"
