# SPDX-License-Identifier: Apache-2.0
"""A server whose folders are on file systems of their own, which fill up and become read-only.

They are mounted in a name space that ends with its process, and with it the file systems;
nothing of it is ever seen outside. What is done there is a program on the names of
:mod:`tests.support.on_disks`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import REPOSITORY


class Disks:
    """The folders below one, with hooks and a place for what the hooks write."""

    def __init__(self, root: Path) -> None:
        if os.geteuid() != 0 or not shutil.which("unshare"):
            pytest.skip("mounting a file system of its own needs root and unshare")
        self._root = root
        self.hooks = root / "hooks"
        self.hooks.mkdir()
        self.runs = root / "runs"

    def hook(self, text: str) -> None:
        """What every config runs, with sh."""
        path = self.hooks / "script"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def drive(self, steps: str) -> list[Any]:
        """Run a program; return what it tells."""
        state = self._root / "lib"
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "RUNS": str(self.runs),
            "HEAT_SHELL_CONFIG": str(self._root / "run" / "heat-config"),
            "HEAT_CONFIG_HOOKS": str(self.hooks),
            "HEAT_CONFIG_LOGS": str(state / "logs"),
            "HEAT_CONFIG_DEPLOYED": str(state / "deployed"),
            "HEAT_CONFIG_OUTBOX": str(state / "outbox"),
        }
        program = f"from tests.support.on_disks import *\n{steps}"
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stderr.startswith("unshare: "):
            pytest.skip(f"this machine does not let one mount: {done.stderr}")
        assert done.returncode == 0, done.stderr
        sys.stderr.write(done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def count_runs(self) -> int:
        """How many lines the hooks have added to $RUNS."""
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0
