# SPDX-License-Identifier: Apache-2.0
"""What an installation has made on this server, so that it can be taken away again.

It is written before anything is made: what was cut short can be removed, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config import files, readable
from heat_config.install.errors import InstallError
from heat_config.install.steps import below

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/var/lib/heat-config/installed.json"


class Record(NamedTuple):
    """What is installed."""

    version: str
    hooks: tuple[str, ...]
    """The groups whose hooks were asked for."""
    made: Mapping[str, str]
    """The mark of each path that was made; see :mod:`heat_config.install.steps`."""
    replaced: Mapping[str, str]
    """The mark of what stood there before, of each path where something did."""


NONE = Record("", (), {}, {})


def load(root: Path) -> Record:
    """What is installed below a root; NONE where nothing is.

    :raises InstallError: it cannot be read.
    """
    try:
        found = readable.own(below(root, PATH).read_bytes())
        hooks = tuple(map(str, found["hooks"]))
        return Record(
            str(found["version"]), hooks, _texts(found["made"]), _texts(found["replaced"])
        )
    except FileNotFoundError:
        return NONE
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InstallError(
            f"{PATH}, the record of what is installed, cannot be read ({error!r}): remove it and "
            "install again"
        ) from None


def save(root: Path, record: Record) -> None:
    """Replace the record, durably.

    :raises OSError: the disk is full, …
    """
    place = below(root, PATH)
    files.make_private_folder(place.parent)
    files.write_durably(place, json.dumps(record._asdict(), indent=1) + "\n")


def forget(root: Path) -> None:
    """Remove the record."""
    below(root, PATH).unlink(missing_ok=True)


def _texts(found: Mapping[object, object]) -> dict[str, str]:
    return {str(path): str(mark) for path, mark in found.items()}
