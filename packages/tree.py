# SPDX-License-Identifier: Apache-2.0
"""The contents of RPMs below a root, and the list of each one's files; run by rpmbuild.

/opt/heat-config/bin/python3 -m packages.tree ROOT
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config.install.items import Place
from heat_config.install.steps import File, Folder, Kept, Link

from . import layout
from .environment import compile_in
from .layout import AGENT, BIN, ELEMENTS, FIRST, HOME, Package
from .spec import RHEL

if TYPE_CHECKING:
    from heat_config.install.steps import Step

UNITS = "/usr/lib/systemd/system"
# What the scriptlets are told.
LISTS = "/usr/share/heat-config/lists"


def main(root: Path) -> None:
    """Lay out all packages, and write each one's list beside this."""
    os.umask(0o022)
    place = Place(Path(HOME, "bin"), BIN, UNITS)
    for package in layout.packages(ELEMENTS, place, RHEL):
        layout.make(package, root)
        lines = listed(package)
        if package.units:
            lines.append(_write_lists(package, root))
        Path(f"{package.name}.files").write_text("\n".join([*lines, ""]))
    home = root / HOME.lstrip("/")
    shutil.copytree(HOME, home, symlinks=True)
    compile_in(home, root)


def listed(package: Package) -> list[str]:
    """Its files, as in ``%files``."""
    brought = layout.first(package.steps)
    lines = [_line(step, brought=step in brought) for step in package.steps]
    return [*lines, HOME] if package.name == AGENT else lines


def _line(step: Step, *, brought: bool) -> str:
    if isinstance(step, Link):
        return step.path
    path = f"{FIRST}{step.path}" if brought else step.path
    mode = 0o644 if brought else step.mode
    what = {Folder: "%dir ", Kept: "" if brought else "%config(noreplace) "}.get(type(step), "")
    return f"{what}%attr({mode:04o}, root, root) {path}"


def _write_lists(package: Package, root: Path) -> str:
    """Write what its scriptlets are told, and return the file's line."""
    path = LISTS if package.name == AGENT else f"{LISTS}-{package.name}"
    given = layout.tokens(package, UNITS).items()
    text = "".join(f"{name}={shlex.quote(words)}\n" for name, words in given)
    File(path, text.encode()).do(root)
    return f"%attr(0644, root, root) {path}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
