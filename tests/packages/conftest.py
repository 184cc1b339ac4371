# SPDX-License-Identifier: Apache-2.0
"""The packages of a release, and a pristine server of it, booted, with nothing of ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.command import run
from lab.server import Server
from lab.venv import locked
from packages import roots
from packages.build import Build, build
from packages.deb import DEB
from packages.releases import RELEASES, Release
from tests.support.packaged import DEPENDENCIES
from tests.support.stacks import heat, lab

__all__ = ["heat", "lab"]

# The root has them beside it, so no network is asked for.
DOWNLOAD = f'chroot "$1" apt-get -qq install --download-only {" ".join(DEPENDENCIES)}'
# The packages, and the same as of a later build.
INSTALLED = ("heat-config", "heat-config-script")


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Release:
    return RELEASES[request.param]


@pytest.fixture(scope="module")
def built(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages in ``now``, and in ``later`` with a higher version."""
    folder = tmp_path_factory.mktemp("packages")
    for name in ("now", "later"):
        (folder / name).mkdir()
    for path in build(Build(DEB, release)):
        if path.name.partition("_")[0] in INSTALLED:
            shutil.copy(path, folder / "now")
            _as_of_later(path, folder / "later")
    return folder


def _as_of_later(package: Path, to: Path) -> None:
    """The package with revision 2, in which the agent's page of the manual is another."""
    content = to / "content"
    run(["dpkg-deb", "--raw-extract", package, content])
    control = content / "DEBIAN/control"
    control.write_text(control.read_text().replace("-1+deb", "-2+deb"))
    for page in content.glob("usr/share/man/man8/heat-config.8.gz"):
        page.write_bytes(b"")
    run(["dpkg-deb", "--root-owner-group", "--build", content, to])
    shutil.rmtree(content)


@pytest.fixture(scope="module")
def pristine(release: Release) -> Path:
    """A root of the release, with nothing of ours. Do not write to it."""
    with locked(roots.LOCK):
        return roots.made(release, ("systemd-sysv",), DOWNLOAD)


@pytest.fixture(scope="module")
def server(pristine: Path, built: Path) -> Iterator[Server]:
    """It is booted, and writes into memory alone."""
    with Server(pristine, disks={"/packages": built}, boot_config=None) as running:
        running.run(["systemctl", "is-system-running", "--wait"], check=False)
        yield running
