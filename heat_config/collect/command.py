# SPDX-License-Identifier: Apache-2.0
"""The command that applies what was collected, and what goes on while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from heat_config import journal
from heat_config.collect import systemd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from heat_config.collect.wakeup import HasEnded


def run(command: str, paths: Sequence[Path], meanwhile: Callable[[HasEnded], None]) -> int:
    """Run the command with the sources' files; return its exit status.

    ``meanwhile`` is called again and again until it has ended, and returns when it has.
    """
    environment = {key: value for key, value in os.environ.items() if key not in systemd.VARIABLES}
    environment["OS_CONFIG_FILES"] = ":".join(map(str, paths))
    with _output(command) as output:
        if output:
            environment |= output.environment
        descriptor = output.descriptor if output else None
        # The operator's own command line, as it always was.
        with subprocess.Popen(  # noqa: S602
            command,
            env=environment,
            shell=True,
            stdout=descriptor,
            stderr=descriptor,
        ) as process:
            while (status := process.poll()) is None:
                meanwhile(lambda: process.poll() is not None)
    return status


@contextmanager
def _output(command: str) -> Iterator[journal.Lines | None]:
    """Where the command's output goes; None where that is where this process's own goes.

    In the journal it is for those who look for something: dib-run-parts alone writes thirty lines
    for each change. What the agent has to say has a priority of its own, and so may a script's.
    """
    try:
        program = os.path.basename(command.split()[0])  # noqa: PTH119 - a text
        stream = journal.Lines(program, journal.DEBUG) if journal.takes(sys.stderr) else None
    except (IndexError, OSError):
        stream = None
    try:
        yield stream
    finally:
        if stream:
            stream.close()
