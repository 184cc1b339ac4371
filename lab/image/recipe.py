# SPDX-License-Identifier: Apache-2.0
"""What an image is made from, and the name that it gets by that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import places


@dataclass(frozen=True)
class Image:
    """One image to build: `kind` is dib's name of the file format."""

    kind: str
    release: str
    elements: tuple[str, ...]
    key: str

    @classmethod
    def of(cls, kind: str, release: str, elements: Iterable[str]) -> Image:
        """Return the image that these and the sources, as they are now, make."""
        chosen = tuple(elements)
        made_from = json.dumps([kind, release, chosen])
        return cls(kind, release, chosen, key_of(made_from, source_files()))

    @property
    def directory(self) -> Path:
        """The folder that holds the image, its log and what was made of it."""
        return places.IMAGES / f"{self.kind}-{self.release}-{self.key}"

    @property
    def path(self) -> Path:
        """The image file, whether it is built or not."""
        return self.directory / f"image.{self.kind}"


def key_of(made_from: str, sources: Iterable[Path]) -> str:
    """Return a hash of a text and of the files' names, modes and contents."""
    digest = hashlib.sha256(made_from.encode())
    for path in sources:
        mode, content = path.stat().st_mode & 0o777, path.read_bytes()
        name = path.relative_to(places.CHECKOUT)
        digest.update(f"\0{name}\0{mode:o}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def source_files() -> list[Path]:
    """Return every file that goes into an image, in a fixed order."""
    found: list[Path] = []
    for source in places.SOURCES:
        path = places.CHECKOUT / source
        found += [path] if path.is_file() else path.rglob("*")
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
