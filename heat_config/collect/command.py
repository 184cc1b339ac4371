# SPDX-License-Identifier: Apache-2.0
"""The command that applies what was collected, and what goes on while it runs."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from heat_config import log
from heat_config.collect import systemd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from heat_config.collect.wakeup import HasEnded


def run(command: str, paths: Sequence[Path], meanwhile: Callable[[HasEnded], None]) -> int:
    """Run the command with the sources' files; return its exit status.

    ``meanwhile`` is called again and again until it has ended, and returns when it has.
    """
    environment = {key: value for key, value in os.environ.items() if key not in systemd.VARIABLES}
    environment["OS_CONFIG_FILES"] = ":".join(map(str, paths))
    log.info(f"Executing {command} with OS_CONFIG_FILES={environment['OS_CONFIG_FILES']}")
    # The operator's own command line, as it always was.
    with subprocess.Popen(command, env=environment, shell=True) as process:  # noqa: S602
        while (status := process.poll()) is None:
            meanwhile(lambda: process.poll() is not None)
    return status
