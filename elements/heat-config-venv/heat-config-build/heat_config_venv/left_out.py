# SPDX-License-Identifier: Apache-2.0
"""What a server never runs: the file left-out, and taking it out of an environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from .commands import BuildError
from .environment import contradictions, lacking

# The programs that people and services start.
PROGRAMS = ("python*", "os-*-config", "heat-config*", "dib-run-parts")


class LeftOut(NamedTuple):
    """The file's content."""

    distributions: frozenset[str]
    """What is not installed although others ask for it."""
    patterns: tuple[str, ...]
    """Paths below site-packages, with wildcards that match a slash, too."""


def parse(text: str) -> LeftOut:
    """Read the file: one a line, then the reason; a path has a slash."""
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    entries = [words[0] for words in lines if words]
    paths = tuple(entry for entry in entries if "/" in entry)
    return LeftOut(frozenset(entries) - frozenset(paths), paths)


def check(checked: str, left_out: LeftOut) -> None:
    """Check what ``pip check`` has found.

    :raises BuildError: pins contradict each other, or a distribution lacks what is not left out on
        purpose.
    """
    found = contradictions(checked)
    if found:
        listed = "\n".join(found)
        raise BuildError(f"the versions in requirements.txt do not go together:\n{listed}")
    forgotten = [name for name in lacking(checked) if name not in left_out.distributions]
    if forgotten:
        raise BuildError(
            f"{', '.join(forgotten)}: neither in requirements.txt nor in left-out;"
            " pin it in the one, or say in the other why no server needs it"
        )


def take_out(site: Path, patterns: Iterable[str]) -> None:
    """Remove the files and folders of site-packages that match one of the patterns."""
    for path in list(_matching(site, tuple(patterns))):
        _remove(path)


def keep_programs(folder: Path) -> None:
    """Remove all from an environment's ``bin`` but the programs that are started."""
    for path in folder.iterdir():
        if not any(fnmatchcase(path.name, pattern) for pattern in PROGRAMS):
            _remove(path)


def _matching(site: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield what matches, and nothing below it."""
    for folder, folders, files in os.walk(site):
        for name in (*folders, *files):
            path = Path(folder, name)
            relative = str(path.relative_to(site))
            if any(fnmatchcase(relative, pattern) for pattern in patterns):
                yield path
                if name in folders:
                    folders.remove(name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
