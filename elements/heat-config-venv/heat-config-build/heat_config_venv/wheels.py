# SPDX-License-Identifier: Apache-2.0
"""Downloads and builds wheels on the host, with the host's pip and its settings."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .commands import BuildError, run
from .target import Target, platform_tags


class Wanted(NamedTuple):
    """The distributions of one environment, every one at one version."""

    lists: tuple[Path, ...]
    """What the index has wheels of."""
    sources: tuple[Path, ...] = ()
    """What it has sources of alone: pure Python, and built on the host."""


class Pip(NamedTuple):
    """The host's pip."""

    python: str
    """The interpreter that has it."""

    def download(self, target: Target, lists: Iterable[Path], to: Path) -> None:
        """Download wheels for the image."""
        run(
            [
                *(self.python, "-m", "pip", "-qq", "download", "--no-deps"),
                *("--only-binary=:all:", "--implementation", "cp"),
                *("--python-version", target.python),
                *(f"--platform={tag}" for tag in platform_tags(target.architecture)),
                *("--dest", to),
                *(f"--requirement={path}" for path in lists),
            ],
            f"not every wheel is to be had for Python {target.python} on {target.architecture}",
        )

    def build(self, to: Path, *what: str | Path, otherwise: str) -> None:
        """Build wheels from sources."""
        options = ("-qq", "wheel", "--no-deps", "--wheel-dir", to)
        run([self.python, "-m", "pip", *options, *what], otherwise)


def find_pip(interpreters: Iterable[str]) -> Pip:
    """Return the pip of the first interpreter that has one. dib's own need not (pipx, Debian).

    :raises BuildError: none has.
    """
    tried = [python for python in interpreters if python]
    for python in tried:
        if _has_pip(python):
            return Pip(python)
    names = " nor for ".join(map(repr, tried))
    raise BuildError(f"no pip on this machine, neither for {names}; install python3-pip")


def key_of(wanted: Wanted) -> str:
    """Return what tells these distributions from others: all are pinned, so that is enough."""
    content = b"".join(path.read_bytes() for path in (*wanted.lists, *wanted.sources))
    return hashlib.sha256(content).hexdigest()[:16]


def gather(pip: Pip, target: Target, wanted: Wanted, *, cache: Path, to: Path) -> None:
    """Put the wheels into the new folder ``to``; builds share what they have downloaded.

    :raises BuildError: one is not to be had.
    """
    kept = cache / f"{target.python}-{target.architecture}-{key_of(wanted)}"
    if not kept.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=cache) as partial:
            found = Path(partial, "wheels")
            pip.download(target, wanted.lists, found)
            for sources in wanted.sources:
                _build_pure(pip, sources, found)
            _keep(found, kept)
    shutil.copytree(kept, to)


def _has_pip(python: str) -> bool:
    command = [python, "-m", "pip", "--version"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _build_pure(pip: Pip, sources: Path, to: Path) -> None:
    built = to.with_name("built")
    name = f"{sources.parent.name}/{sources.name}"
    pip.build(built, "-r", sources, otherwise=f"a wheel cannot be built: {name}")
    for wheel in built.iterdir():
        if not wheel.name.endswith("-none-any.whl"):
            raise BuildError(f"{name}: {wheel.name} is for this machine alone, not the image's")
        shutil.move(str(wheel), str(to / wheel.name))


def _keep(found: Path, kept: Path) -> None:
    try:
        found.rename(kept)
    except OSError:
        # Another build was faster: its wheels are as good.
        if not kept.is_dir():
            raise
