# SPDX-License-Identifier: Apache-2.0
"""What compose calls a project: a name that no other has, and that stays while it is up.

Compose knows a project's containers by its name alone, and takes few characters for one:
``web.1`` and ``Web1`` would be one project, in which each removes the other's containers. So a
name is chosen once, and kept in the project's folder.

What runs already keeps its name. heat-agents left that to compose, which took no ``-`` and
``_`` before 1.21; since 1.25 each container says from which folder it is.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from heat_config import files, hookkit
from heat_config.hookkit import containers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMPOSE_FILE = "docker-compose.yml"
KEPT = ".project-name"
_NAME = "com.docker.compose.project"
_FOLDER = "com.docker.compose.project.working_dir"


def name_of(folder: Path, others: Sequence[Path]) -> str:
    """The name of a folder's project: the kept one, that under which it runs, or a free one.

    What runs under a name that another has kept is removed: it comes up again under its own.
    """
    kept = _kept(folder)
    if kept:
        return kept
    claimed = {_kept(each) for each in others}
    own = _from(folder)
    names = [each.label(_NAME) for each in own] or _older_runs(folder, claimed)
    if names and names[0] not in {"", *claimed}:
        return names[0]
    if own:
        containers.remove(containers.ENGINE.find(), own)
    return _free(folder.name, {name for each in others for name in _possible(each)})


def keep(folder: Path, name: str) -> None:
    """Keep the name for as long as the folder is there.

    :raises OSError: the disk is full, …
    """
    if _kept(folder) != name:
        files.write_durably(folder / KEPT, f"{name}\n")


def is_shared(name: str, others: Sequence[Path]) -> bool:
    """Whether it may be another's too: then what is in no file may be that one's."""
    return any(name in _possible(each) for each in others)


def _kept(folder: Path) -> str:
    try:
        text = (folder / KEPT).read_text(encoding="ascii").strip()
    except (FileNotFoundError, ValueError):
        return ""
    return text if re.fullmatch("[a-z0-9][a-z0-9_-]*", text) else ""


def _from(folder: Path) -> list[containers.Container]:
    """The containers that say that they are from this folder."""
    return _labelled(f"{_FOLDER}={folder.resolve()}")


def _older_runs(folder: Path, claimed: set[str]) -> list[str]:
    """The names under which it may have been brought up by a compose that noted no folder."""
    candidates = [name for name in _possible(folder) if name not in claimed]
    return [
        name
        for name in candidates
        if any(not each.label(_FOLDER) for each in _labelled(f"{_NAME}={name}"))
    ]


def _labelled(label: str) -> list[containers.Container]:
    """Containers by a label; none where docker or podman cannot tell, as compose needs neither."""
    with suppress(hookkit.HookError):
        return containers.with_labels(containers.ENGINE.find(), label)
    return []


def _possible(folder: Path) -> list[str]:
    """The names that a project may have that is up."""
    if kept := _kept(folder):
        return [kept]
    if not (folder / COMPOSE_FILE).exists():
        return []
    return list(dict.fromkeys((_plain(folder.name), re.sub("[^a-z0-9]", "", folder.name.lower()))))


def _free(wanted: str, taken: set[str]) -> str:
    plain = _plain(wanted)
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()
    return plain if plain not in taken else f"{plain}-{digest[:8]}"


def _plain(name: str) -> str:
    """What all three programs take as a name, and what compose makes of a folder's."""
    return re.sub("[^a-z0-9_-]", "", name.lower()).lstrip("_-") or "heat"
