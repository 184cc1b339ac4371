# SPDX-License-Identifier: Apache-2.0
"""Temporary folders that go with all that is attached to them, also after a build was killed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..command import run
from . import places


@contextmanager
def scratch() -> Iterator[Path]:
    """Provide a temporary folder; take it away with all that is attached to it."""
    places.IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=places.IMAGES))
    try:
        yield folder
    finally:
        _remove(folder)


def clean_stale() -> None:
    """Take away what a build left that was killed. The caller holds the lock."""
    for folder in places.IMAGES.glob("scratch-*"):
        _remove(folder)


def _remove(folder: Path) -> None:
    listed = run(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"]).strip()
    for device in json.loads(listed)["loopdevices"] if listed else []:
        if str(device["back-file"]).startswith(f"{folder}/"):
            run(["losetup", "--detach", device["name"]])
    remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder, and nothing of a file system that is mounted in it."""
    run(["rm", "-rf", "--one-file-system", folder])
