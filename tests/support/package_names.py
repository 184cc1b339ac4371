# SPDX-License-Identifier: Apache-2.0
"""What packages are called in distributions that no image is booted of here: package_names.txt."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LISTS = Path(__file__).with_name("package_names.txt")
UNCONFIRMED = "?"


class Target(NamedTuple):
    """A distribution and its release, as diskimage-builder names them."""

    distro: str
    release: str


def read() -> dict[Target, dict[str, str]]:
    """Each target's names, and where each was seen."""
    found: dict[Target, dict[str, str]] = {}
    for line in LISTS.read_text().splitlines():
        if line.startswith("["):
            current = found.setdefault(Target(*line.strip("[]").split()), {})
        elif line and not line.startswith("#"):
            name, seen = line.split(maxsplit=1)
            current[name] = seen
    return found
