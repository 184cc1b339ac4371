# SPDX-License-Identifier: Apache-2.0
"""How a deployment is run: find the hook of its group, run it, read its answer."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import log, process, result
from heat_config.deployment import APPLIED_WITHOUT_HOOK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heat_config.deployment import Deployment
    from heat_config.result import Result


def run(deployment: Deployment, folders: Iterable[str]) -> Result:
    """Run a deployment with its group's hook; whatever happens is a result."""
    path = find(deployment.group, folders)
    if path is None:
        return _without_hook(deployment, folders)
    log.info(f"running {deployment} with {path}")
    try:
        completed = process.run(
            [path],
            stdin=json.dumps(deployment.item).encode("ascii"),
            on_stderr=lambda line: log.info(f"{deployment.name}: {line}"),
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


def _without_hook(deployment: Deployment, folders: Iterable[str]) -> Result:
    if deployment.group in APPLIED_WITHOUT_HOOK:
        return result.Result(
            status_code=0,
            stdout=f"group {deployment.group}: applied by os-apply-config, no hook was run\n",
        )
    groups = available(folders)
    there = f"there are hooks for {', '.join(groups)}" if groups else "there are no hooks at all"
    return result.failure(
        f"no hook for group {deployment.group!r} on this server: {there}. Build the image "
        f"with the element heat-config-{deployment.group}, or put a hook into "
        f"{' or '.join(folders)}.\n",
        process.NOT_FOUND,
    )


def _cannot_start(path: Path, error: OSError) -> str:
    if not os.access(path, os.X_OK):
        return f"the hook {path} is not executable: chmod 0755 {path}\n"
    if error.errno in (errno.ENOENT, errno.ENOEXEC):
        return f"the hook {path} cannot be started: look at its first line, #!… ({error})\n"
    return f"the hook {path} cannot be started: {error}\n"
