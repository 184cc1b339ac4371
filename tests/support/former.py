# SPDX-License-Identifier: Apache-2.0
"""A server on which heat-agents and os-collect-config themselves have worked: what they left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import peer
from lab.server import File

DATA = "/var/lib/heat-cfntools/cfn-init-data"
# What moves with a server. Whatever is in memory is gone by the boot.
KEPT = ("etc/os-collect-config.conf", "var/lib")


class FormerServer:
    """Their programs below one folder, each as it comes from the package index."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._elements = peer.elements()
        agent = self._elements / "heat-config"
        shutil.copytree(agent / "os-apply-config", root / "templates")
        hooks = root / "var/lib/heat-config/hooks"
        hooks.mkdir(parents=True)
        hook = self._elements / "heat-config-script/install.d/hook-script.py"
        shutil.copy(hook, hooks / "script")
        for program in (
            hooks / "script",
            agent / "os-refresh-config/configure.d/55-heat-config",
            agent / "bin/heat-config-notify",
        ):
            program.chmod(0o755)
        refresh = root / "refresh"
        apply = f"os-apply-config --templates {root}/templates --output {root}"
        run = agent / "os-refresh-config/configure.d/55-heat-config"
        refresh.write_text(f"#!/bin/sh\nset -eu\n{apply}\n{run}\n")
        refresh.chmod(0o755)

    def run(self, metadata: dict[str, Any]) -> str:
        """Have os-collect-config find the metadata, and act on them; return what all have said."""
        data = self._root / DATA.lstrip("/")
        data.parent.mkdir(parents=True, exist_ok=True)
        data.write_text(json.dumps(metadata))
        program = Path(sys.executable).with_name("os-collect-config")
        argv: list[str | Path] = [program, "heat_local", "--one-time"]
        settings = {
            "--command": self._root / "refresh",
            "--cachedir": self._root / "var/lib/os-collect-config",
            "--backup-cachedir": self._root / "backup",
            "--heat_local-path": data,
        }
        argv += [part for pair in settings.items() for part in pair]
        done = subprocess.run(argv, env=self._environment(), text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    @property
    def deployed(self) -> Path:
        """The folder of what it has run."""
        return self._root / "var/lib/heat-config/deployed"

    def left(self) -> list[File]:
        """What is on its disk, to be put on another's."""
        return [self._as_its_own(path) for name in KEPT for path in _files(self._root / name)]

    def _as_its_own(self, path: Path) -> File:
        """A file with the paths that it would have if the folder were a server's root."""
        text = path.read_text().replace(str(self._root), "")
        return File(f"/{path.relative_to(self._root)}", text, path.stat().st_mode & 0o777)

    def _environment(self) -> dict[str, str]:
        state, volatile = self._root / "var/lib/heat-config", self._root / "var/run/heat-config"
        programs = (self._elements / "heat-config/bin", Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": ":".join([*map(str, programs), os.environ["PATH"]]),
            "HEAT_SHELL_CONFIG": str(volatile / "heat-config"),
            "HEAT_CONFIG_DEPLOYED": str(state / "deployed"),
            "HEAT_CONFIG_HOOKS": str(state / "hooks"),
            "HEAT_SCRIPT_WORKING": str(state / "heat-config-script"),
            "HEAT_SCRIPT_OUTPUTS": str(volatile / "heat-config-script"),
            "COUNTED": str(self._root / "counted"),
        }


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
