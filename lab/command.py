# SPDX-License-Identifier: Apache-2.0
"""Run a command that is quiet unless it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .errors import LabError

# What is shown of a failed command's output: pip's reason is at its end.
SHOWN = 3000


def run(command: Sequence[str | Path]) -> str:
    """Run a command and return what it printed. Raise LabError with the end of it if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(map(str, command))
        said = (done.stdout + done.stderr).strip()[-SHOWN:]
        raise LabError(f"{words} exited {done.returncode}:\n{said}".strip())
    return done.stdout
