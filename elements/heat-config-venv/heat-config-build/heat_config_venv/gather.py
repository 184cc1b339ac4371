# SPDX-License-Identifier: Apache-2.0
"""Gathers the wheels on the host, for the image's Python and architecture.

Only the host is known to reach a package index, with its own mirrors and CAs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import agent, not_followed, wheels
from .commands import output
from .target import Target, check_newest, packaged_python, python_of
from .tools import tools_in
from .wheels import Pip, Wanted


def main(element: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Gather the wheels of the agent's environment and of the tools that elements ask for.

    :param element: the folder of the element heat-config-venv where it lies.
    :param environ: dib's variables.
    :raises BuildError: the build must stop.
    """
    hooks = Path(environ["TMP_HOOKS_PATH"])
    data = hooks / "heat-config-venv"
    cache = Path(environ["DIB_IMAGE_CACHE"], "heat-config-wheels")
    python = python_of(Path(environ["TMP_MOUNT_PATH"]), _chosen(element / "pkg-map", environ))
    target = Target(python, environ["ARCH"])
    pip = wheels.find_pip((environ.get("DIB_PYTHON_EXEC", ""), "python3"))
    _say(target, pip, not_followed.notes(environ))
    wanted = Wanted((data / "requirements.txt", data / "build-requirements.txt"))
    wheels.gather(pip, target, wanted, cache=cache, to=data / "wheels")
    agent.build(pip, element.resolve().parent, data / "wheels")
    for tool in tools_in(hooks):
        gather_tool(pip, target, tool, cache=cache)
    (data / "python-version").write_text(f"{target.python}\n")


def _chosen(pkg_map: Path, environ: Mapping[str, str]) -> str:
    """The Python that the operator says, or that the release gets for this; else ""."""
    release = environ.get("DISTRO_NAME", ""), environ.get("DIB_RELEASE", "")
    return environ.get("DIB_HEAT_CONFIG_PYTHON", "") or packaged_python(pkg_map, *release)


def gather_tool(pip: Pip, target: Target, tool: Path, *, cache: Path) -> None:
    """Gather the wheels of a tool that has an environment of its own.

    :param tool: the folder heat-config-tools/NAME, from another element.
    :raises BuildError: the image's Python is too new for it, or a wheel is not to be had.
    """
    newest = tool / "newest-python"
    if newest.is_file():
        check_newest(tool.name, newest.read_text().strip(), target.python)
    sources = tool / "sources.txt"
    wanted = Wanted((tool / "requirements.txt",), (sources,) if sources.is_file() else ())
    wheels.gather(pip, target, wanted, cache=cache, to=tool / "wheels")


def _say(target: Target, pip: Pip, notes: Iterable[str]) -> None:
    version = output([pip.python, "-m", "pip", "--version"]).strip()
    wheels_for = f"wheels for Python {target.python} on {target.architecture}, by {version}"
    for line in (*notes, wheels_for):
        print(f"heat-config-venv: {line}", flush=True)
