# SPDX-License-Identifier: Apache-2.0
"""Debian's packages: what a source tree needs for dpkg-buildpackage, and lintian's look at them."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.venv import CHECKOUT

from .build import Build, Kind
from .releases import Release
from .version import changelog, debian_version


def _version(version: str, release: Release, revision: int) -> str:
    return debian_version(version, release.number, revision)


def _prepare(wanted: Build, source: Path) -> None:
    debian = source / "debian"
    shutil.copytree(CHECKOUT / "packages/debian", debian)
    seconds = max(path.stat().st_mtime for path in (CHECKOUT / "heat_config").rglob("*.py"))
    text = changelog(wanted.version, wanted.release.name, seconds, wanted.maintainer)
    (debian / "changelog").write_text(text)
    control = debian / "control"
    control.write_text(control.read_text().replace("#MAINTAINER#", wanted.maintainer))
    (debian / "units").write_text(f"{wanted.release.units}\n")


DEB = Kind(
    suffix=".deb",
    builders=("build-essential", "debhelper", "dh-virtualenv", "lintian", "python3-venv"),
    version=_version,
    prepare=_prepare,
    commands=(
        ("dpkg-buildpackage", "--build=binary", "--no-sign"),
        ("packages/check-packages",),
    ),
)
