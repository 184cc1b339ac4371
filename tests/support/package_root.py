# SPDX-License-Identifier: Apache-2.0
"""A root in which packages are installed and nothing is booted."""

from __future__ import annotations

import shutil
from pathlib import Path

from packages import roots
from tests.support.packaged import EVERYTHING

STATE = "/var/lib/heat-config/deployed"
ENABLED = "ls /etc/systemd/system/multi-user.target.wants | grep -e heat -e os-"


class Root:
    """A pristine root, and what is written above it."""

    def __init__(self, pristine: Path, built: Path, folder: Path) -> None:
        self._pristine, self._folder = pristine, folder
        shutil.copytree(built, folder / "upper/packages")

    def run(self, text: str, *, status: int = 0) -> str:
        """Run a shell's script in it, which is to end with this status; return what it says."""
        log = self._folder / "said"
        log.write_text("")
        ended = roots.run_inside(self._pristine, self._folder, ("sh", "-euc", text), log)
        assert ended == status, log.read_text()
        return log.read_text()

    def everything(self) -> set[str]:
        """Each path in it."""
        return set(self.run(EVERYTHING).splitlines())
