# SPDX-License-Identifier: Apache-2.0
"""Build an image once, and keep it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import LabError
from ..venv import locked
from . import dib, places
from .progress import Progress, timed
from .recipe import Image, source_files
from .scratch import clean_stale, remove_tree, scratch

# Images of one kind and release that are kept: each takes some 600 MB.
KEPT = 2
# Lines of a failed build's log that are shown.
SHOWN = 40


def build(image: Image, *, progress: Progress = print) -> Path:
    """Build an image unless it is there already. Raise LabError with the end of the log."""
    if image.path.exists():
        return image.path
    if os.geteuid() != 0:
        raise LabError("building an image needs root", hint="start it again with sudo")
    with locked(places.IMAGES / "lock"):
        if not image.path.exists():
            dib.install(progress)
            clean_stale()
            _build(image, timed(progress))
            _forget_older(image)
    return image.path


def _build(image: Image, report: Progress) -> None:
    image.directory.mkdir(parents=True, exist_ok=True)
    log = image.directory / "build.log"
    report(f"{image.path.name}: Debian {image.release}; log: {log}")
    with scratch() as folder:
        _copy_sources(folder / "source")
        status = dib.disk_image_create(image, folder, log, report)
        built = folder / "out" / image.path.name
        if status or not built.exists():
            tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-SHOWN:])
            raise LabError(f"disk-image-create exited {status}:\n{tail}", hint=f"all of it: {log}")
        built.rename(image.path)
    report(f"{image.path.stat().st_size / 1e6:.0f} MB in {image.path}")


def _copy_sources(to: Path) -> None:
    """Build from a copy: someone may be editing the files meanwhile."""
    for path in source_files():
        copy = to / path.relative_to(places.CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)


def _forget_older(image: Image) -> None:
    """Remove all but the newest images of this kind and release."""

    def worth(directory: Path) -> tuple[bool, float]:
        return (directory / image.path.name).exists(), directory.stat().st_mtime

    same = places.IMAGES.glob(f"{image.kind}-{image.release}-*")
    for directory in sorted(same, key=worth)[:-KEPT]:
        remove_tree(directory)
