# SPDX-License-Identifier: Apache-2.0
"""What an installation is made of in the end: folders, files, files that stay, and links.

Each step knows whether it is done already, so that doing all of them again changes nothing.
Paths are absolute, as on the server, below a root that need not be this machine's.
"""

from __future__ import annotations

import hashlib
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from heat_config import files

FOLDER = "folder"
"""The mark of one."""


def below(root: Path, path: str) -> Path:
    """A path of the server's as it is found from here."""
    return root / path.lstrip("/")


class Folder(NamedTuple):
    """A folder. One that is there keeps its mode, unless others could look into a private one."""

    path: str
    mode: int = 0o755

    @property
    def is_private(self) -> bool:
        """Whether it is for its owner alone."""
        return not self.mode & 0o077

    def is_done(self, root: Path) -> bool:
        """Whether nothing is left to do."""
        place = below(root, self.path)
        return place.is_dir() and not _is_too_open(place, self.mode)

    def do(self, root: Path) -> None:
        """Make it, with the folders above it."""
        place = below(root, self.path)
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        place.mkdir(exist_ok=True)
        place.chmod(self.mode)


class File(NamedTuple):
    """A file that is this project's: it is replaced when it differs."""

    path: str
    content: bytes
    mode: int = 0o644

    def is_done(self, root: Path) -> bool:
        """Whether nothing is left to do."""
        place = below(root, self.path)
        return (
            place.is_file()
            and not place.is_symlink()
            and stat.S_IMODE(place.stat().st_mode) == self.mode
            and place.read_bytes() == self.content
        )

    def do(self, root: Path) -> None:
        """Write it, as a whole."""
        place = below(root, self.path)
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        files.write_durably(place, self.content, mode=self.mode)

    @property
    def mark(self) -> str:
        """What tells, later, that it is still as it was made."""
        return _mark_of(self.content)


class Kept(NamedTuple):
    """A file that is the operator's once it is there: it stays, and is never more open than this.

    It is in no record: removing the installation leaves it, purging takes it away.
    """

    path: str
    content: bytes
    mode: int

    def is_done(self, root: Path) -> bool:
        """Whether nothing is left to do."""
        place = below(root, self.path)
        return place.exists() and not _is_too_open(place, self.mode)

    def do(self, root: Path) -> None:
        """Write it where there is none; close it where it is too open."""
        place = below(root, self.path)
        if place.exists():
            place.chmod(stat.S_IMODE(place.stat().st_mode) & self.mode)
        else:
            File(*self).do(root)


class Link(NamedTuple):
    """A symbolic link."""

    path: str
    to: str

    def is_done(self, root: Path) -> bool:
        """Whether nothing is left to do."""
        place = below(root, self.path)
        return place.is_symlink() and str(place.readlink()) == self.to

    def do(self, root: Path) -> None:
        """Make it; whatever file or link has stood there is replaced at once."""
        place = below(root, self.path)
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}.heat-config-new")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self.to)
        temporary.replace(place)

    @property
    def mark(self) -> str:
        """What tells, later, that it is still as it was made."""
        return f"link {self.to}"


Step = Folder | File | Kept | Link


def mark_of(place: Path) -> str:
    """The mark that what is there now has; "" where nothing is."""
    with suppress(OSError):
        if place.is_symlink():
            return f"link {place.readlink()}"
        return FOLDER if place.is_dir() else _mark_of(place.read_bytes())
    return ""


def _mark_of(content: bytes) -> str:
    return f"sha256 {hashlib.sha256(content).hexdigest()}"


def _is_too_open(place: Path, mode: int) -> bool:
    """Whether others can do with it what they must not: only a private mode says that."""
    return not mode & 0o077 and bool(stat.S_IMODE(place.stat().st_mode) & 0o077)
