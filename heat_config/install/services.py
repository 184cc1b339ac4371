# SPDX-License-Identifier: Apache-2.0
"""systemd's part of an installation."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config import process
from heat_config.install.errors import InstallError
from heat_config.install.steps import below

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNNING = Path("/run/systemd/system")
COLLECTOR = "os-collect-config.service"
# Where a server has the configuration that it was booted with (heat_local's path).
BOOT_DATA = Path("/var/lib/heat-cfntools/cfn-init-data")
# Seconds that systemd is given for one thing.
LIMIT = 60.0


class Systemd(NamedTuple):
    """The systemd of a server, whose root is below ``root``."""

    root: Path
    is_live: bool
    """Whether it runs, and is this machine's own: else units can be enabled, not started."""

    @classmethod
    def of(cls, root: Path) -> Systemd:
        """The systemd of a root.

        :raises InstallError: there is none.
        """
        if not shutil.which("systemctl"):
            raise InstallError("there is no systemctl: heat-config runs under systemd alone")
        return cls(root, root == Path("/") and RUNNING.is_dir())

    def enable(self, units: Sequence[str]) -> None:
        """Have the units started at each boot.

        :raises InstallError: systemd refuses.
        """
        self._reload()
        self._ask("enable", "--quiet", *units)

    def follow(self, rules: Sequence[str]) -> None:
        """Have what these rules of systemd-tmpfiles say.

        :raises InstallError: it cannot be made.
        """
        files = [str(below(self.root, path)) for path in rules]
        self._run("systemd-tmpfiles", "--create", "--", *files)

    def begin(self, units: Sequence[str]) -> None:
        """Start the units that watch, afresh, and the collector where it has something to do.

        It is started where it runs already, and where user data have been written. What it runs
        at this moment is left alone (``KillMode=process``).

        :raises InstallError: one does not start.
        """
        if not self.is_live:
            return
        self._ask("restart", *(unit for unit in units if unit.endswith(".path")))
        # Not waited for: where a boot has not come so far, it starts later in it.
        verb = "restart" if BOOT_DATA.is_file() else "try-restart"
        self._ask("--no-block", verb, COLLECTOR)

    def start_anew(self, unit: str) -> None:
        """Have a unit started at each boot, and now, with what it is configured with by now.

        :raises InstallError: systemd does not run here, or refuses.
        """
        if not self.is_live:
            raise InstallError(f"systemd does not run here: {unit} cannot be started")
        self._ask("enable", "--quiet", unit)
        self._ask("restart", unit)

    def end(self, units: Sequence[str]) -> None:
        """Stop the units, and have them started no more.

        :raises InstallError: systemd refuses.
        """
        if self.is_live:
            stopped = [unit.removesuffix(".path") for unit in units if unit.endswith(".path")]
            others = [f"{name}.timer" for name in stopped] + [f"{name}.service" for name in stopped]
            self._ask("stop", *units, *others)
        self._ask("disable", "--quiet", *units)

    def forget(self) -> None:
        """Let it see that unit files have gone."""
        self._reload()

    def _reload(self) -> None:
        if self.is_live:
            self._ask("daemon-reload")

    def _ask(self, *words: str) -> None:
        self._run("systemctl", *words)

    def _run(self, program: str, *words: str) -> None:
        where = () if self.root == Path("/") else (f"--root={self.root}",)
        done = process.run([program, *where, *words], time_limit=LIMIT)
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise InstallError(f"{program} {' '.join(words)} {done.ending}: {said}")
