# SPDX-License-Identifier: Apache-2.0
"""An image's root as a folder, to boot from."""

from __future__ import annotations

from pathlib import Path

from ..command import run
from ..venv import locked
from . import places
from .scratch import scratch

KEEP = ("--numeric-owner", "--xattrs", "--xattrs-include=*")


def unpack(tar: Path) -> Path:
    """Return the folder with the tar's content, beside it. It is made once: do not write to it."""
    root = tar.with_name("root")
    with locked(places.IMAGES / "lock"):
        if not root.exists():
            with scratch() as folder:
                partial = folder / "root"
                partial.mkdir()
                run(["tar", "-C", partial, *KEEP, "-xpf", tar])
                partial.rename(root)
    return root
