# SPDX-License-Identifier: Apache-2.0
"""What an image is made from, and the name that it gets by that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import places


class Others(NamedTuple):
    """What an operator builds with besides ours."""

    folders: tuple[Path, ...] = ()
    """Folders of elements, which stand behind ours."""
    settings: Mapping[str, str] = {}
    """Variables of the build."""


OURS_ALONE = Others()


@dataclass(frozen=True)
class Image:
    """One image to build: `kind` is dib's name of the file format."""

    kind: str
    release: str
    elements: tuple[str, ...]
    key: str
    others: Others = field(default=OURS_ALONE, hash=False)

    @classmethod
    def of(
        cls, kind: str, release: str, elements: Iterable[str], others: Others = OURS_ALONE
    ) -> Image:
        """Return the image that these and the sources, as they are now, make."""
        chosen = tuple(elements)
        theirs = [key_of("", files_in(folder), folder) for folder in others.folders]
        made_from = json.dumps([kind, release, chosen, theirs, dict(others.settings)])
        key = key_of(made_from, source_files(), places.CHECKOUT)
        return cls(kind, release, chosen, key, others)

    @property
    def directory(self) -> Path:
        """The folder that holds the image, its log and what was made of it."""
        return places.IMAGES / f"{self.kind}-{self.release}-{self.key}"

    @property
    def path(self) -> Path:
        """The image file, whether it is built or not."""
        return self.directory / f"image.{self.kind}"


def key_of(made_from: str, sources: Iterable[Path], home: Path) -> str:
    """Return a hash of a text and of the files' names below `home`, modes and contents."""
    digest = hashlib.sha256(made_from.encode())
    for path in sources:
        mode, content = path.stat().st_mode & 0o777, path.read_bytes()
        name = path.relative_to(home)
        digest.update(f"\0{name}\0{mode:o}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def source_files() -> list[Path]:
    """Return every file that goes into an image, in a fixed order."""
    return sorted(path for name in places.SOURCES for path in files_in(places.CHECKOUT / name))


def files_in(path: Path) -> list[Path]:
    """Return a folder's files, or the file, without what Python has compiled, in a fixed order."""
    found = [path] if path.is_file() else path.rglob("*")
    return sorted(each for each in found if each.is_file() and "__pycache__" not in each.parts)
