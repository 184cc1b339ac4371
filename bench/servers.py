# SPDX-License-Identifier: Apache-2.0
"""The contenders: a server with our service, and one with os-collect-config and heat-agents.

Both have the same intervals, which are os-collect-config's defaults, and both are started with
the configuration that they have found at their boot, so that neither's boot is measured.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import peer
from tests.support.checkout import ELEMENTS
from tests.support.server import HostServer

# What the peer's elements install; how os-collect-config and Heat's client come in.
PEER_NEEDS = (
    "os-collect-config==14.1.0",
    "os-apply-config==14.1.0",
    "python-heatclient",
    "python-zaqarclient",
    "PyYAML",
)


class Ours(HostServer):
    """A server as our image's."""

    collect = "heat-config-collect"

    def __init__(self, root: Path, *, use_websockets: bool = False, **options: object) -> None:
        super().__init__(root)
        self._use_websockets = use_websockets
        self._options = options

    @contextmanager
    def serving(self, given: dict[str, Any]) -> Iterator[int]:
        """The service, up; ``given`` is what the server is told at its boot. Gives its pid."""
        command = self._command(given)
        with self.log.open("a") as log:
            running = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)
        try:
            yield running.pid
        finally:
            running.kill()
            running.wait()

    def once(self, given: dict[str, Any]) -> None:
        """One run of the service, to its end."""
        command = [*self._command(given), "--one-time"]
        with self.log.open("a") as log:
            subprocess.run(command, env=self._environment(), stdout=log, stderr=log, check=True)

    def _command(self, given: dict[str, Any]) -> list[str]:
        files = [self._boot_configuration(given), self._more_configuration()]
        arguments = [part for path in files for part in ("--config-file", str(path))]
        program = shutil.which(self.collect, path=self._environment()["PATH"])
        return [str(program), *arguments]

    def _boot_configuration(self, given: dict[str, Any]) -> Path:
        """As the element's template makes it, which later makes the same again."""
        path = self.root / "etc/os-collect-config.conf"
        template = ELEMENTS / "os-collect-config/os-apply-config/etc/os-collect-config.conf"
        metadata = json.dumps({"os-collect-config": given})
        path.write_bytes(subprocess.check_output([template], input=metadata.encode()))
        return path

    def _more_configuration(self) -> Path:
        """Where things are; what cannot be said on a command line is in a second file."""
        settings = {
            "cachedir": self.root / "cache",
            "backup_cachedir": self.root / "backup",
            "command": self.root / "bin/refresh",
            **self._options,
        }
        lines = ["[DEFAULT]", *(f"{name} = {value}" for name, value in settings.items())]
        lines += ["[local]", f"path = {self.root}/local-data"]
        lines += ["[zaqar]", f"use_websockets = {self._use_websockets}"]
        path = self.root / "more.conf"
        path.write_text("\n".join(lines) + "\n")
        return path


class Peer(Ours):
    """A server as one built with heat-agents 13.0.0.

    ``programs``: where os-collect-config and what its elements need are; else an environment of
    its own is made.
    """

    collect = "os-collect-config"

    def __init__(self, root: Path, programs: Path | None = None) -> None:
        super().__init__(root)
        self._programs = programs or environment_of_peer()
        elements = peer.elements()
        shutil.rmtree(self._templates)
        shutil.copytree(elements / "heat-config/os-apply-config", self._templates)
        self._own = {
            "HEAT_CONFIG_HOOKS": root / "hooks",
            "HEAT_CONFIG_NOTIFY": elements / "heat-config/bin/heat-config-notify",
        }
        (root / "hooks").mkdir()
        shutil.copy(elements / "heat-config-script/install.d/hook-script.py", root / "hooks/script")
        agent = elements / "heat-config/os-refresh-config/configure.d/55-heat-config"
        for program in (root / "hooks/script", self._own["HEAT_CONFIG_NOTIFY"], agent):
            program.chmod(0o755)
        apply = f"os-apply-config --templates {self._templates} --output {root}"
        self._program("refresh", f"set -eu\n{apply}\nexec {agent}")

    def _boot_configuration(self, given: dict[str, Any]) -> Path:
        path = self.root / "etc/os-collect-config.conf"
        lines = ["[DEFAULT]", *(f"collectors = {name}" for name in given["collectors"]), "[zaqar]"]
        zaqar = {name: value for name, value in given["zaqar"].items() if value is not None}
        lines += [f"{name} = {str(value).replace('$', '$$')}" for name, value in zaqar.items()]
        path.write_text("\n".join(lines) + "\n")
        return path

    def _environment(self) -> dict[str, str]:
        ours = super()._environment()
        path = [str(self._programs), os.environ["PATH"]]
        own = {name: str(value) for name, value in self._own.items()}
        # Its collector "local" dies in other locales.
        return {**ours, **own, "PATH": ":".join(path), "PYTHONPATH": "", "LC_ALL": "C"}


def environment_of_peer() -> Path:
    """The programs of an environment with all that the peer needs on a server."""
    venv = peer.make_venv("peer-collect")
    peer.install(venv, PEER_NEEDS)
    return venv / "bin"
