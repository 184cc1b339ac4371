# SPDX-License-Identifier: Apache-2.0
"""A run with nothing to do, which most are: recognised by the least that Python must load.

Nothing here decides what is done. Whatever is not clearly done already is left to
:mod:`heat_config.run.loop`, which looks again, under its lock.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # typing's, without importing it
if TYPE_CHECKING:
    from collections.abc import Collection

    from heat_config.settings import Settings


def all_done(settings: Settings) -> int | None:
    """How many deployments there are, all of them done and delivered; None when one may not be."""
    try:
        with open(settings.config_file, encoding="utf-8") as file:  # noqa: PTH123 - quick
            if os.fstat(file.fileno()).st_mode & 0o077:
                return None
            items = json.loads(file.read() or "[]")
        deployed = set(os.listdir(settings.deployed))  # noqa: PTH208
        outbox = os.listdir(settings.outbox)  # noqa: PTH208
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(items, list) or any(name.endswith(".json") for name in outbox):
        return None
    if os.path.exists(settings.unfinished):  # noqa: PTH110
        return None
    ids = [item.get("id") if isinstance(item, dict) else None for item in items]
    done = all(isinstance(each, str) and _has_ended(each, deployed, settings) for each in ids)
    # Of two with the same id, one may have been answered without being run.
    return len(ids) if done and len(set(ids)) == len(ids) else None


def completion(settings: Settings) -> dict[str, str]:
    """Whom the metadata ask to signal when os-refresh-config has ended: names and values."""
    try:
        with open(settings.completion, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - quick
            pairs = [line.strip().partition(" ") for line in file]
    except OSError:
        return {}
    return {name: value for name, _, value in pairs if value}


def _has_ended(config_id: str, deployed: Collection[str], settings: Settings) -> bool:
    config = f"{config_id}.json"
    if config not in deployed:
        return False
    if f"{config_id}.notify.json" in deployed:
        return True
    try:
        # An empty one was made by heat-config-rebuild-deployed: done long ago.
        return not os.stat(f"{settings.deployed}/{config}").st_size  # noqa: PTH116
    except OSError:
        return False
