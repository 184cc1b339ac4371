# SPDX-License-Identifier: Apache-2.0
"""Commands inside a booted server, as root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": os.environ.get("TERM", "dumb"),
}


def enter(leader: int) -> list[str]:
    """Return the words to put before a command that shall run inside. `leader`: its process 1."""
    namespaces = ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--pid"]
    variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    return [*namespaces, "--wd", "env", "-i", *variables]


def run(
    leader: int, command: Sequence[str | Path], *, timeout: float, text_input: str
) -> subprocess.CompletedProcess[str]:
    """Run a command inside, whatever its exit status is."""
    return subprocess.run(
        [*enter(leader), *command],
        input=text_input,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
