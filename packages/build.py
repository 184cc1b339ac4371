# SPDX-License-Identifier: Apache-2.0
"""Build a release's packages, and have lintian look at them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
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
from .version import changelog, debian_version

ELEMENTS = CHECKOUT / "elements"
ELEMENT = ELEMENTS / "heat-config-venv"
PINNED = ELEMENT / "heat-config-venv"
# What goes into the source tree of a build, below the checkout.
SOURCES = ("CHANGELOG.md", "LICENSE", "README.md", "elements", "heat_config", "hooks", "packages")
# Beside the packages: what they are made from.
MADE_FROM = "made-from"
BUILDERS = ("build-essential", "debhelper", "dh-virtualenv", "lintian", "python3-venv")
NEEDED = ("ca-certificates", "jq")
# Lines of a failed build's log that are shown.
SHOWN = 40


class Build(NamedTuple):
    """What is to be built."""

    release: Release
    revision: int = 1

    @property
    def version(self) -> str:
        """The packages' version."""
        return debian_version(heat_config.__version__, self.release.number, self.revision)

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

    :raises LabError: they cannot be built, or lintian finds a fault.
    """
    report = timed(progress)
    key = key_of(wanted.version, _sources(), CHECKOUT)
    with locked(roots.LOCK):
        if not wanted.is_there(key):
            _build(wanted, report)
            (wanted.folder / MADE_FROM).write_text(key)
    found = sorted(wanted.folder.glob("*.deb"))
    report(f"{sum(path.stat().st_size for path in found) / 1e6:.0f} MB in {len(found)} packages")
    return found


def _sources() -> list[Path]:
    return sorted(path for name in SOURCES for path in files_in(CHECKOUT / name))


def _build(wanted: Build, report: Progress) -> None:
    report(f"a root of Debian {wanted.release.number}, kept for the next time")
    root = roots.made(wanted.release, (*BUILDERS, *NEEDED))
    with roots.scratch() as folder:
        report("wheels, pinned")
        _make_source(wanted, folder / "upper/build/heat-config")
        log = folder / "build.log"
        report("dpkg-buildpackage")
        _inside(root, folder, ("dpkg-buildpackage", "--build=binary", "--no-sign"), log)
        report("lintian")
        _inside(root, folder, ("packages/check-packages",), log)
        _keep(folder / "upper/build", log, wanted.folder)


def _make_source(wanted: Build, to: Path) -> None:
    for name in SOURCES:
        _copy(CHECKOUT / name, to / name)
    shutil.copytree(CHECKOUT / "packages/debian", to / "debian")
    seconds = max(path.stat().st_mtime for path in (CHECKOUT / "heat_config").rglob("*.py"))
    text = changelog(wanted.version, wanted.release.name, seconds)
    (to / "debian/changelog").write_text(text)
    (to / "debian/units").write_text(f"{wanted.release.units}\n")
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


def _keep(built: Path, log: Path, to: Path) -> None:
    """Put the packages where they stay."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    shutil.copy(log, to)
    for path in built.glob("*.deb"):
        shutil.move(path, to)
