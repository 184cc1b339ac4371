# SPDX-License-Identifier: Apache-2.0
"""The words in which the parts of an installation are described, and the steps that each means."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, Protocol

from heat_config import process
from heat_config.install.errors import InstallError
from heat_config.install.steps import File, Folder, Kept, Link, below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from heat_config.install.steps import Step

# What a hook begins with that leaves it open which Python runs it.
ANY_PYTHON = b"#!/usr/bin/env python3"


class Source(NamedTuple):
    """The files of the elements that are installed."""

    folders: tuple[Path, ...]
    """The elements, or the one folder in which dib has merged them."""
    hooks: Mapping[str, Path]
    """The hooks' programs, by group."""

    def find(self, name: str) -> Path:
        """A file by its path in its element.

        :raises InstallError: no element has it.
        """
        for folder in self.folders:
            if (folder / name).is_file():
                return folder / name
        raise InstallError(f"no element has the file {name}: is the package whole?")

    def below(self, name: str) -> Iterator[tuple[str, Path]]:
        """All files and links in the elements' folders of this name, by their path in it."""
        for folder in self.folders:
            for path in sorted((folder / name).rglob("*")):
                if path.is_symlink() or path.is_file():
                    yield str(path.relative_to(folder / name)), path


class Place(NamedTuple):
    """Where on the server things go that are not in the same place everywhere."""

    environment: Path
    """The folder ``bin`` of the virtual environment."""
    programs: str = "/usr/local/bin"
    """Where people and services look for programs."""
    units: str | None = None
    """Where systemd looks for units; None where somebody else puts them there (dib)."""
    root: Path = Path("/")
    """Below what the environment is now: another folder while a package is built."""


class Item(Protocol):
    """One line of the description."""

    def steps(self, source: Source, place: Place) -> Iterator[Step]:
        """The steps that it means.

        :raises InstallError: something that it needs is not there.
        """


class Program(NamedTuple):
    """A program of the environment, where people look for it."""

    name: str
    of: str = ""
    """The program's name in the environment, where that is another."""

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        program = place.environment / (self.of or self.name)
        if not os.access(below(place.root, str(program)), os.X_OK):
            raise InstallError(
                f"the environment has no program {program}: "
                "pip install 'heat-config[server]' brings it"
            )
        yield Link(f"{place.programs}/{self.name}", str(program))


class Known(NamedTuple):
    """A program that RPMs have in /usr/bin, where scripts, drop-ins and boot-config call it."""

    name: str
    of: str = ""

    def steps(self, source: Source, place: Place) -> Iterator[Step]:
        """See :class:`Item`."""
        for folder in sorted({place.programs, "/usr/bin"}):
            yield from Program(self.name, self.of).steps(source, place._replace(programs=folder))


class Manual(NamedTuple):
    """A page of the manual, where man looks for what is beside the programs."""

    source: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:
        """See :class:`Item`."""
        page = source.find(self.source)
        folder = PurePosixPath(place.programs).parent / f"share/man/man{page.suffix[1:]}"
        yield File(f"{folder}/{page.name}", page.read_bytes())


class Private(NamedTuple):
    """A folder for root alone: what the server knows, and nobody else shall."""

    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        yield Folder(self.path, 0o700)


class Public(NamedTuple):
    """A folder into which others put things, too."""

    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        yield Folder(self.path)


class Copy(NamedTuple):
    """A file of an element."""

    source: str
    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        yield File(self.path, source.find(self.source).read_bytes())


class Default(NamedTuple):
    """A file of an element that the operator may change: his own stays."""

    source: str
    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        yield Kept(self.path, source.find(self.source).read_bytes(), 0o644)


class Log(NamedTuple):
    """A log that root alone may read, from its first line on."""

    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        yield Kept(self.path, b"", 0o600)


class Rendered(NamedTuple):
    """What one of os-apply-config's templates, a program, makes of no metadata; private."""

    source: str
    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        yield Kept(self.path, rendered(source.find(self.source), {}), 0o600)


def rendered(template: Path, metadata: object) -> bytes:
    """What one of os-apply-config's templates, a program, makes of metadata.

    :raises InstallError: it ends with an error.
    """
    # Not what this machine has: the root may be another's.
    environ = {**os.environ, "OS_COLLECT_CONFIG_FILE": os.devnull}
    data = json.dumps(metadata).encode()
    made = process.run([sys.executable, "-IS", template], stdin=data, env=environ)
    if made.returncode:
        raise InstallError(f"the template {template} {made.ending}")
    return made.stdout


class Tree(NamedTuple):
    """The folders of this name in all elements, as one."""

    source: str
    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """See :class:`Item`."""
        for name, found in source.below(self.source):
            yield _as_it_is(f"{self.path}/{name}", found)


class Hooks(NamedTuple):
    """The hooks. One that leaves its Python open gets the environment's, which has hookkit."""

    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:
        """See :class:`Item`."""
        own = f"#!{place.environment}/python3".encode()
        for group, found in source.hooks.items():
            content = found.read_bytes()
            if content.startswith(ANY_PYTHON):
                content = own + content.removeprefix(ANY_PYTHON)
            yield File(f"{self.path}/{group}", content, 0o755)


class Units(NamedTuple):
    """The units of systemd in all elements."""

    def steps(self, source: Source, place: Place) -> Iterator[Step]:
        """See :class:`Item`."""
        if place.units:
            for name, found in source.below("init-scripts/systemd"):
                yield File(f"{place.units}/{name}", found.read_bytes())


class Rules(NamedTuple):
    """Rules of systemd-tmpfiles: they hold at once, and at each boot."""

    source: str
    path: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:
        """Their file alone; what they say is made by :mod:`heat_config.install.services`."""
        yield from Copy(self.source, self.path).steps(source, place)


class Enabled(NamedTuple):
    """A unit that is started at each boot."""

    unit: str

    def steps(self, source: Source, place: Place) -> Iterator[Step]:  # noqa: ARG002
        """None: systemd does it (see :mod:`heat_config.install.services`)."""
        yield from ()


def _as_it_is(path: str, found: Path) -> Step:
    """A file as its element has it, whatever umask that was checked out with."""
    if found.is_symlink():
        return Link(path, str(found.readlink()))
    return File(path, found.read_bytes(), 0o755 if found.stat().st_mode & 0o100 else 0o644)
