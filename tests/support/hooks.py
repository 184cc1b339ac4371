# SPDX-License-Identifier: Apache-2.0
"""This checkout's hooks as a server has them."""

from __future__ import annotations

from pathlib import Path

from hooks import programs


def installed(folder: Path, *groups: str) -> Path:
    """Link the programs of these groups, or of all, into a folder; return it.

    It is what HEAT_CONFIG_HOOKS may name.
    """
    found = programs()
    folder.mkdir(parents=True)
    for group in groups or found:
        (folder / group).symlink_to(found[group])
    return folder
