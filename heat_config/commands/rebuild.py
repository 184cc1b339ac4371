# SPDX-License-Identifier: Apache-2.0
"""Take all of the server's deployments for done: heat-config-rebuild-deployed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import deployment, files, log
from heat_config.run import asked

if TYPE_CHECKING:
    from heat_config.settings import Settings


def rebuild_deployed(settings: Settings) -> int:
    """Make an empty ``<id>.json`` for each deployment; return the exit status.

    What is there stays as it is, and a run that goes on is waited for. Deployments that
    os-apply-config applies have no hook that could be run again, and get none.
    """
    try:
        items = asked.collected()
    except OSError as error:
        log.error(f"cannot run os-apply-config: {error}")
        return 1
    except deployment.MetadataError as error:
        log.error(f"what os-apply-config knows of 'deployments' {error}")
        return 1
    folder = Path(settings.deployed)
    files.make_private_folder(folder)
    with files.locked(settings.deployed):
        for each in items:
            _mark(each, folder)
    return 0


def _mark(each: deployment.Deployment, folder: Path) -> None:
    path = folder / f"{each.id}.json"
    if each.group in deployment.APPLIED_WITHOUT_HOOK:
        log.info(f"{each} is left to os-apply-config")
    elif path.exists():
        log.info(f"{each} is noted already")
    else:
        files.write_durably(path, "")
        log.info(f"{each} counts as deployed: {path}")
