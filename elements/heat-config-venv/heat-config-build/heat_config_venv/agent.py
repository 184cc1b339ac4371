# SPDX-License-Identifier: Apache-2.0
"""Builds the agent's wheel from the sources that lie beside the elements."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .commands import BuildError
from .wheels import Pip

# What pyproject.toml puts into a host's package and no server needs.
FOR_HOSTS = ("elements", "hooks")
# How the lines of the programs begin that come with Heat's plug-in.
FOR_HEAT = "heat-config-heat-"


def build(pip: Pip, elements: Path, to: Path) -> None:
    """Build it from a copy, so that nothing is written next to the elements.

    :param elements: the folder of the elements, in a checkout or in an installed package.
    :raises BuildError: there is no agent beside the elements, or its wheel cannot be built.
    """
    with tempfile.TemporaryDirectory() as work:
        source = Path(work, "source")
        copy_source(elements, source)
        # It is the image's Python that must be new enough, not the host's.
        options = ("--ignore-requires-python", source)
        pip.build(to, *options, otherwise="the agent's wheel cannot be built")


def copy_source(elements: Path, to: Path) -> None:
    """Make a source tree of the agent, without what only hosts need.

    :raises BuildError: there is no agent beside the elements.
    """
    home = elements.parent
    package = package_beside(elements)
    for name in FOR_HOSTS:
        (to / name).mkdir(parents=True)
    shutil.copy(home / "LICENSE", to / "LICENSE")
    project = (home / "pyproject.toml").read_text().splitlines(keepends=True)
    kept = [line for line in project if not line.startswith(FOR_HEAT)]
    (to / "pyproject.toml").write_text("".join(kept))
    (to / "README.md").touch()

    def left_out(folder: str, names: list[str]) -> set[str]:
        unwanted = {"__pycache__", "share"} if Path(folder) == package else {"__pycache__"}
        return unwanted & set(names)

    shutil.copytree(package, to / "heat_config", symlinks=True, ignore=left_out)


def package_beside(elements: Path) -> Path:
    """Return the folder of the agent's package: beside the elements, or two above them.

    :raises BuildError: there is none.
    """
    for package in (elements.parent / "heat_config", elements.parent.parent):
        if (package / "__init__.py").is_file():
            return package
    raise BuildError(f"no agent (heat_config) beside the elements in {elements}")
