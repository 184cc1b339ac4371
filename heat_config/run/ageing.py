# SPDX-License-Identifier: Apache-2.0
"""What ages out, so that nothing on a server grows for ever.

Only what belongs to a config that Heat asks for no more, that is neither pending nor
unfinished, and that is older than the setting ``HEAT_CONFIG_KEEP`` says. That a config has
run is never forgotten: Heat might ask for it again, and it would be run again.
"""

from __future__ import annotations

import os
import shutil
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import log
from heat_config.run import runlog
from heat_config.run.unfinished import Unfinished

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from heat_config.delivery.outbox import Outbox
    from heat_config.run.store import Store
    from heat_config.settings import Settings

# Its files belong to projects that go on, and have their names.
_LASTING = "heat-config-docker-compose"


def age_out(asked: Collection[str], store: Store, outbox: Outbox, settings: Settings) -> None:
    """Strip and remove what is old; who calls holds the store's lock.

    ``asked``: the configs that Heat asks for. Without any nothing is done: what a server
    begins with asks for nothing.

    :raises OSError: the folders cannot be read.
    """
    if not asked:
        return
    before = time.time() - settings.keep
    folders = list(_hooks_folders(settings, os.environ))
    with outbox.locked() as box:
        kept = {*asked, *box.ids(), *Unfinished(settings).ids()}
        box.forget_old(before, kept)
        for config_id in store.old(before, kept):
            try:
                _remove_log(config_id, settings)
                for folder in folders:
                    _remove_hooks_files(config_id, folder, kept)
                store.strip(config_id)
            except OSError as error:
                log.warning(f"{config_id}: what is old of it cannot be removed: {error}")


def _remove_log(config_id: str, settings: Settings) -> None:
    path = runlog.path_of(config_id, settings)
    path.unlink(missing_ok=True)
    runlog.older_part(path).unlink(missing_ok=True)


def _remove_hooks_files(config_id: str, folder: Path, kept: Collection[str]) -> None:
    """Remove what a config's hook has written for its tool, and the tool for the hook."""
    # In an id is no character that means something in a pattern.
    for own in chain(*(folder.glob(config_id + rest) for rest in ("", ".*", "_*"))):
        if any(_is_of(own.name, other) for other in kept):
            continue
        if own.is_dir() and not own.is_symlink():
            shutil.rmtree(own)
        else:
            own.unlink(missing_ok=True)


def _is_of(name: str, config_id: str) -> bool:
    return name == config_id or name.startswith((f"{config_id}.", f"{config_id}_"))


def _hooks_folders(settings: Settings, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where hooks write files with the ids of configs (:func:`heat_config.hookkit.workplace`)."""
    for above in (Path(settings.deployed).parent, Path(settings.config_file).parent):
        yield from (each for each in above.glob("heat-config-*") if each.name != _LASTING)
    for name, folder in environ.items():
        is_ours = name.startswith("HEAT_") and name.endswith(("_WORKING", "_OUTPUTS"))
        if is_ours and folder and not name.startswith("HEAT_DOCKER_COMPOSE_"):
            yield Path(folder)
