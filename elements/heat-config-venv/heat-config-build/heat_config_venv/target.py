# SPDX-License-Identifier: Apache-2.0
"""What wheels have to fit: the image's Python and architecture."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from .commands import BuildError, output

# The architectures by dib's name, and by the name that wheels have.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7l"}

# The C libraries whose wheels fit, by their second number. glibc 2.34 is the newest that all
# supported images have.
NEWEST_GLIBC, OLDEST_GLIBC = 34, 17
OLDER_GLIBC = ("manylinux_2_12", "manylinux2010", "manylinux_2_5", "manylinux1")

VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


class Target(NamedTuple):
    """What the wheels are for."""

    python: str
    """The image's Python, as MAJOR.MINOR."""
    architecture: str
    """By dib's name ($ARCH)."""


def python_of(image: Path, chosen: str) -> str:
    """Return the version of the image's Python: the chosen one, that there, or that to come.

    :param image: the image's root, on the host.
    :param chosen: what the operator says (DIB_HEAT_CONFIG_PYTHON), or "".
    :raises BuildError: the image does not show it.
    """
    if chosen:
        if not _is_version(chosen):
            raise BuildError(f"DIB_HEAT_CONFIG_PYTHON={chosen!r} must be a version such as 3.11")
        return chosen
    found = _installed(image) or _to_be_installed(image)
    if not _is_version(found):
        raise BuildError(
            "cannot tell the image's version of Python; say it: DIB_HEAT_CONFIG_PYTHON=3.x"
        )
    return found


def packaged_python(pkg_map: Path, distribution: str, release: str) -> str:
    """Return the version of the Python that this release gets beside its own, or "".

    :param pkg_map: the element's, which says it: a distribution's default may be
        older than what the pinned distributions work with.
    """
    releases = json.loads(pkg_map.read_text())["release"].get(distribution, {})
    names = releases.get(release, {}).get("python3", "")
    found = re.search(r"\bpython3\.?([0-9]+)$", names)
    return f"3.{found[1]}" if found else ""


def candidate(policy: str) -> str:
    """Return the version MAJOR.MINOR that ``apt-cache policy python3`` would install, or ""."""
    found = re.search(r"^ *Candidate: (3\.[0-9]+)", policy, re.MULTILINE)
    return found[1] if found else ""


def platform_tags(architecture: str) -> list[str]:
    """Return the tags of the wheels that fit, best first.

    pip takes each tag literally: a wheel for an older C library fits too, and has another tag.

    :raises BuildError: no wheels are known for the architecture.
    """
    machine = MACHINES.get(architecture)
    if machine is None:
        known = ", ".join(MACHINES)
        raise BuildError(
            f"no wheels are known for the architecture {architecture}; for {known} are"
        )
    glibcs = range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)
    names = [*(f"manylinux_2_{minor}" for minor in glibcs), "manylinux2014"]
    if machine == "x86_64":
        names += OLDER_GLIBC
    return [f"{name}_{machine}" for name in names]


def check_newest(tool: str, newest: str, version: str) -> None:
    """Check that a tool works with the image's Python. ``newest``: the last that it works with.

    :raises BuildError: its time has passed.
    """
    if newest and _minor(version) > _minor(newest):
        raise BuildError(f"{tool} works with Python {newest} at most, and the image has {version}")


def _is_version(text: str) -> bool:
    return re.fullmatch(r"3\.[0-9]+", text) is not None


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _installed(image: Path) -> str:
    if not os.access(image / "usr/bin/python3", os.X_OK):
        return ""
    return output(["sudo", "chroot", image, "/usr/bin/python3", "-Sc", VERSION]).strip()


def _to_be_installed(image: Path) -> str:
    if not os.access(image / "usr/bin/apt-cache", os.X_OK):
        return ""
    return candidate(output(["sudo", "chroot", image, "/usr/bin/apt-cache", "policy", "python3"]))
