# SPDX-License-Identifier: Apache-2.0
"""What a hook's tool needs, in words: in an image the elements install it, here the operator does.

From the elements' own files: ``package-installs.yaml`` and ``pkg-map`` for the distribution's
packages, ``heat-config-tools`` for what has an environment of its own.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What installs a package in each family, by dib's names of them.
INSTALLERS = {
    "debian": "apt-get install",
    "redhat": "dnf install",
    "suse": "zypper install",
}
# The family of each distribution, by the names in os-release.
FAMILIES = {
    **dict.fromkeys(("debian", "ubuntu"), "debian"),
    **dict.fromkeys(("rhel", "fedora", "centos", "rocky", "almalinux"), "redhat"),
    **dict.fromkeys(("suse", "sles", "opensuse", "opensuse-leap"), "suse"),
}


class System(NamedTuple):
    """The distribution, as its ``os-release`` says."""

    distribution: str
    release: str
    family: str


def system_of(text: str) -> System:
    """Read an ``os-release``."""
    pairs = (line.partition("=") for line in text.splitlines())
    given = {name: value.strip("\"'") for name, equals, value in pairs if equals}
    name = given.get("ID", "")
    like = [name, *given.get("ID_LIKE", "").split()]
    family = next((FAMILIES[each] for each in like if each in FAMILIES), "")
    return System(name, given.get("VERSION_CODENAME", ""), family)


def needed(element: Path, system: System) -> list[str]:
    """What is to be typed so that a hook finds its tool: a line for each command."""
    names = packages(element, system)
    installed = [f"{INSTALLERS.get(system.family, 'install')} {' '.join(names)}"] if names else []
    return [*installed, *_environments(element)]


def packages(element: Path, system: System) -> list[str]:
    """The distribution's packages that an element asks for, by their names there."""
    asked = element / "package-installs.yaml"
    if not asked.is_file():
        return []
    names = (_name(element, name, system) for name in yaml.safe_load(asked.read_text()))
    return [each for name in names for each in name.split()]


def _name(element: Path, package: str, system: System) -> str:
    """A package's name here: the narrowest word of ``pkg-map`` counts, as in dib."""
    file = element / "pkg-map"
    known: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    releases = known.get("release", {}).get(system.distribution, {})
    for words in (
        releases.get(system.release, {}),
        known.get("distro", {}).get(system.distribution, {}),
        known.get("family", {}).get(system.family, {}),
        known.get("default", {}),
    ):
        if package in words:
            return str(words[package])
    return package


def _environments(element: Path) -> Iterator[str]:
    for tool in sorted((element / "heat-config-tools").glob("*")):
        home = f"/opt/stack/venvs/{tool.name}"
        lists = [tool / name for name in ("requirements.txt", "sources.txt")]
        options = [f"-r {shlex.quote(str(each))}" for each in lists if each.is_file()]
        yield f"python3 -m venv {home} && {home}/bin/pip install --no-deps {' '.join(options)}"
        for program in (tool / "programs").read_text().split():
            yield f"ln -s {home}/bin/{program} /usr/local/bin/{program}"
