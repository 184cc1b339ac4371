# SPDX-License-Identifier: Apache-2.0
"""What :mod:`heat_config.install.parts` describes, as the contents of packages.

    python3 -m packages.layout DEBIAN UNITS

``DEBIAN`` is the folder ``debian`` of a build, with ``heat-config/opt/heat-config`` made; each
package's files come into the folder of its name there. What debhelper has to know comes into
``NAME.substvars`` and, for the maintainer scripts, ``NAME.tokens``.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from heat_config.install import parts, server, tools
from heat_config.install.items import Place
from heat_config.install.steps import File, Folder, Kept, Link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heat_config.install.server import Plan
    from heat_config.install.steps import Step
    from heat_config.install.tools import System

ELEMENTS = Path(__file__).resolve().parents[1] / "elements"
HOME = "/opt/heat-config"
BIN = "/usr/bin"
AGENT = "heat-config"
# The first contents of files that programs write later: the maintainer script puts them there.
FIRST = "/usr/share/heat-config/first"


class Package(NamedTuple):
    """One package."""

    name: str
    steps: tuple[Step, ...]
    units: tuple[str, ...]
    """Those that are started at each boot."""
    needs: tuple[str, ...]
    """Other packages."""


def packages(elements: Path, place: Place, system: System) -> list[Package]:
    """The agent's package, and one for each hook that has what is the hook's alone."""
    base = server.plan(elements, (), place)
    folders = [elements / name for name in (*parts.BASE, "heat-config-venv")]
    needed = sorted({name for each in folders for name in tools.packages(each, system)})
    agent = Package(AGENT, base.steps, base.units, tuple(needed))
    return [agent, *(_hook(elements, group, place, system, base) for group in groups(elements))]


def groups(elements: Path) -> list[str]:
    """All groups that have a hook."""
    return sorted(server.hooks_beside(elements))


def _hook(elements: Path, group: str, place: Place, system: System, base: Plan) -> Package:
    plan = server.plan(elements, (group,), place)
    element = server.element_of(elements, group)
    return Package(
        element.name,
        tuple(step for step in plan.steps if step not in base.steps),
        tuple(unit for unit in plan.units if unit not in base.units),
        tuple(tools.packages(element, system)),
    )


def make(package: Package, root: Path) -> None:
    """Put a package's files below ``root``; those that programs write are only brought along."""
    for step in package.steps:
        if step in first(package.steps):
            step = File(f"{FIRST}{step.path}", step.content)
        step.do(root)


def first(steps: Iterable[Step]) -> list[Kept]:
    """The files that programs write, too, which must not be dpkg's.

    They are private: what a server knows. Those that are not are an operator's alone, so
    conffiles.
    """
    return [step for step in steps if isinstance(step, Kept) and not step.mode & 0o077]


def tokens(package: Package, units: str) -> dict[str, str]:
    """What the maintainer scripts are told, by the names that they have for it."""
    names = _names_in(units, package.steps, File)
    private = [step for step in package.steps if isinstance(step, Folder) and step.is_private]
    # What is in /etc dpkg removes.
    left = [path for path in server.left_behind(package.steps) if path not in _conffiles(package)]
    lists = {
        "ENABLED": package.units,
        # The others start these: they are only to be stopped.
        "STARTED": [name for name in names if name not in package.units],
        "FIRST": [step.path for step in first(package.steps)],
        "PRIVATE": [step.path for step in private],
        "PROGRAMS": _names_in(BIN, package.steps, Link),
        "LEFT": left,
        "CLOUDS": server.CLOUDS,
    }
    return {name: " ".join(words) for name, words in lists.items()}


def _names_in(folder: str, steps: Iterable[Step], kind: type[Step]) -> list[str]:
    """The names of files, or links, in a folder."""
    paths = [PurePosixPath(step.path) for step in steps if isinstance(step, kind)]
    return [path.name for path in paths if str(path.parent) == folder]


def _conffiles(package: Package) -> list[str]:
    kept = [step for step in package.steps if isinstance(step, Kept)]
    return [step.path for step in kept if step not in first(package.steps)]


def _this_python() -> str:
    """The environment has no other's libraries."""
    major, minor = sys.version_info[:2]
    return f"python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1}~)"


def main(debian: Path, units: str) -> None:
    """Lay out all packages of a build."""
    os.umask(0o022)
    place = Place(Path(HOME, "bin"), BIN, units, root=debian / AGENT)
    system = tools.system_of(Path("/etc/os-release").read_text())
    for package in packages(ELEMENTS, place, system):
        make(package, debian / package.name)
        given = tokens(package, units)
        lines = [f"{name}={shlex.quote(words)}\n" for name, words in given.items()]
        (debian / f"{package.name}.tokens").write_text("".join(lines))
        substvars = {"Needs": ", ".join(package.needs)}
        if package.name == AGENT:
            substvars["Python"] = _this_python()
        with (debian / f"{package.name}.substvars").open("a") as file:
            file.writelines(f"heat:{name}={value}\n" for name, value in substvars.items())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
