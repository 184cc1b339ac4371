# SPDX-License-Identifier: Apache-2.0
"""RPMs for the RHEL family 9: what a source tree needs for rpmbuild.

They are built on Debian 12, whose Python is that of RHEL's package python3.11.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from lab.errors import LabError

from .build import Build, Kind
from .releases import Release
from .version import ordered

PYTHON = "3.11"
# Where the sources are, and the packages come, in the root.
DEFINITIONS = {"_topdir": "/build/rpmbuild", "_builddir": "/build/heat-config", "_rpmdir": "/build"}
NAMES = "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"


def _version(version: str, release: Release, revision: int) -> str:
    if release.python != PYTHON:
        raise LabError("RPMs are built on Debian 12 alone: --release bookworm")
    return f"{ordered(version)}-{revision}.el9"


def _prepare(wanted: Build, source: Path) -> None:
    """Write what builds them, to be run in the root, where there is a module for YAML."""
    version, _, release = wanted.version.rpartition("-")
    words = shlex.join((version, release, wanted.maintainer))
    pairs = {**DEFINITIONS, "_build_name_fmt": NAMES}.items()
    defined = shlex.join(word for pair in pairs for word in ("--define", " ".join(pair)))
    (source / "build-rpm").write_text(
        f"set -eu\npython3 -m packages.spec {words} > heat-config.spec\n"
        f"rpmbuild -bb --quiet {defined} heat-config.spec\n"
    )


RPM = Kind(
    suffix=".rpm",
    builders=("python3-venv", "python3-yaml", "rpm"),
    version=_version,
    prepare=_prepare,
    commands=(("sh", "build-rpm"),),
)
