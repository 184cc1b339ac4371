# SPDX-License-Identifier: Apache-2.0
"""How a deployment is run: find the hook of its group, run it, read its answer."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import log, process, redact, result
from heat_config.run import secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from heat_config.deployment import Deployment
    from heat_config.result import Result
    from heat_config.run.scope import Scope
    from heat_config.settings import Settings


def run(
    deployment: Deployment,
    settings: Settings,
    on_line: Callable[[str], None],
    scope: Scope,
) -> Result:
    """Run a deployment with its group's hook; whatever happens is a result.

    Each line that the hook logs goes to ``on_line`` as it comes. The time limit
    ends all that is in the ``scope``; what is left there in time is left alone.
    """
    try:
        return _run(deployment, settings, on_line, scope)
    finally:
        scope.tidy()


def _run(
    deployment: Deployment, settings: Settings, on_line: Callable[[str], None], scope: Scope
) -> Result:
    path = find(deployment.group, settings.hook_folders)
    if path is None:
        return _without_hook(deployment.group, settings.hook_folders)
    limit = _time_limit(deployment, settings)
    if limit is None:
        given = deployment.item["options"]["timeout"]
        return result.failure(f"the option timeout is {given!r}, not a number of seconds\n")
    try:
        with secrets.folder(settings, scope) as variables:
            completed = process.run(
                [path],
                stdin=json.dumps(_for_hook(deployment)).encode("ascii"),
                env={**os.environ, **variables},
                on_stderr=on_line,
                time_limit=limit,
                scope=scope,
                end_of_piece=log.end_of_piece,
            )
    except OSError as error:
        return result.failure(_cannot_start(path, error), process.CANNOT_EXECUTE)
    return result.from_hook(completed)


def find(group: str, folders: Iterable[str]) -> Path | None:
    """The hook of a group: the file of its name in the first folder that has it.

    The name is reduced to letters, digits, ``-`` and ``_``, so that it stays in
    the folder.
    """
    name = "".join(character for character in group if character.isalnum() or character in "-_")
    if not name:
        return None
    candidates = (Path(folder, name) for folder in folders)
    return next((path for path in candidates if path.is_file()), None)


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


def _time_limit(deployment: Deployment, settings: Settings) -> float | None:
    """The seconds that the hook may take; None when the option is no number."""
    given = deployment.item["options"].get("timeout")
    if given is None:
        return settings.time_limit
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < float("inf") else None


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
