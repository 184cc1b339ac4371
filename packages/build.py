# SPDX-License-Identifier: Apache-2.0
"""Build a release's packages, of one kind: in a root of it, once for the same sources."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from heat_config_venv import agent, wheels
from heat_config_venv.commands import BuildError
from heat_config_venv.target import Target
from heat_config_venv.wheels import Wanted

import heat_config
from lab.command import run
from lab.errors import LabError
from lab.image.progress import Progress, timed
from lab.image.recipe import files_in, key_of
from lab.venv import CHECKOUT, locked

from . import roots
from .releases import Release
from .version import LOCAL

ELEMENTS = CHECKOUT / "elements"
ELEMENT = ELEMENTS / "heat-config-venv"
PINNED = ELEMENT / "heat-config-venv"
# What goes into the source tree of a build, below the checkout.
SOURCES = ("CHANGELOG.md", "LICENSE", "README.md", "elements", "heat_config", "hooks", "packages")
# Beside the packages: what they are made from.
MADE_FROM = "made-from"
NEEDED = ("ca-certificates", "jq")
# Lines of a failed build's log that are shown.
SHOWN = 40


class Kind(NamedTuple):
    """A kind of packages, and how they are made of a source tree."""

    suffix: str
    builders: tuple[str, ...]
    """What the root has for it, beside what all need."""
    version: Callable[[str, Release, int], str]
    """Of the agent's version, the release and the revision."""
    prepare: Callable[[Build, Path], None]
    """Puts into a source tree what is this kind's."""
    commands: tuple[tuple[str, ...], ...]
    """What is run in the tree: the first builds, and the packages come to lie beside the tree."""


class Build(NamedTuple):
    """What is to be built."""

    kind: Kind
    release: Release
    revision: int = 1
    maintainer: str = LOCAL

    @property
    def version(self) -> str:
        """The packages' version."""
        return self.kind.version(heat_config.__version__, self.release, self.revision)

    @property
    def folder(self) -> Path:
        """Where the packages are, and ``made-from``."""
        return roots.PACKAGES / self.release.name / self.version

    def is_there(self, key: str) -> bool:
        """Whether it has been built from the sources as they are now."""
        marker = self.folder / MADE_FROM
        return marker.is_file() and marker.read_text() == key


def build(wanted: Build, *, progress: Progress = print) -> list[Path]:
    """Build the packages, and return them.

    :raises LabError: they cannot be built, or a tool finds a fault in them.
    """
    report = timed(progress)
    key = key_of(f"{wanted.version} {wanted.maintainer}", _sources(), CHECKOUT)
    with locked(roots.LOCK):
        if not wanted.is_there(key):
            _build(wanted, report)
            (wanted.folder / MADE_FROM).write_text(key)
    found = sorted(wanted.folder.glob(f"*{wanted.kind.suffix}"))
    report(f"{sum(path.stat().st_size for path in found) / 1e6:.0f} MB in {len(found)} packages")
    return found


def _sources() -> list[Path]:
    return sorted(path for name in SOURCES for path in files_in(CHECKOUT / name))


def _build(wanted: Build, report: Progress) -> None:
    report(f"a root of Debian {wanted.release.number}, kept for the next time")
    root = roots.made(wanted.release, (*wanted.kind.builders, *NEEDED))
    with roots.scratch() as folder:
        report("wheels, pinned")
        source = folder / "upper/build/heat-config"
        _make_source(wanted, source)
        wanted.kind.prepare(wanted, source)
        log = folder / "build.log"
        for command in wanted.kind.commands:
            report(command[0])
            _inside(root, folder, command, log)
        _keep(source.parent, log, wanted)


def _make_source(wanted: Build, to: Path) -> None:
    for name in SOURCES:
        _copy(CHECKOUT / name, to / name)
    gather(wanted.release, to / "wheels")
    pins = (PINNED / "requirements.txt").read_text()
    (agent_wheel,) = (to / "wheels").glob("heat_config-*.whl")
    (to / "wheels/requirements.txt").write_text(f"{pins}wheels/{agent_wheel.name}\n")


def gather(release: Release, to: Path) -> None:
    """Put the wheels of the environment into a new folder, as an image's build does.

    :raises LabError: one is not to be had.
    """
    architecture = run(["dpkg", "--print-architecture"]).strip()
    pins = Wanted((PINNED / "requirements.txt", PINNED / "build-requirements.txt"))
    try:
        pip = wheels.find_pip((sys.executable, "python3"))
        target = Target(release.python, architecture)
        wheels.gather(pip, target, pins, cache=roots.PACKAGES / "wheels", to=to)
        agent.build(pip, ELEMENTS, to)
    except BuildError as error:
        raise LabError(str(error)) from None


def _copy(path: Path, to: Path) -> None:
    if path.is_dir():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(path, to, symlinks=True, ignore=ignore)
    else:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to)


def _inside(root: Path, folder: Path, command: Sequence[str], log: Path) -> None:
    words = ("env", "--chdir=/build/heat-config", *command)
    if status := roots.run_inside(root, folder, words, log):
        kept = roots.PACKAGES / "failed.log"
        shutil.copy(log, kept)
        tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-SHOWN:])
        raise LabError(f"{command[0]} exited {status}:\n{tail}", hint=f"all of it: {kept}")


def _keep(built: Path, log: Path, wanted: Build) -> None:
    """Put the packages where they stay."""
    to = wanted.folder
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    shutil.copy(log, to)
    for path in built.glob(f"*{wanted.kind.suffix}"):
        shutil.move(path, to)
