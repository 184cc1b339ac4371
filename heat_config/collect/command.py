# SPDX-License-Identifier: Apache-2.0
"""The command that applies what was collected, and what goes on while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from heat_config import applying, journal, settings
from heat_config.collect import systemd
from heat_config.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from heat_config.collect.wakeup import HasEnded


def run(command: str, paths: Sequence[Path], meanwhile: Callable[[HasEnded], None]) -> int:
    """Run the command with the sources' files; return its exit status.

    ``meanwhile`` is called again and again until it has ended, and returns when it has.
    """
    environment = {key: value for key, value in os.environ.items() if key not in systemd.VARIABLES}
    environment["OS_CONFIG_FILES"] = ":".join(map(str, paths))
    with _output(command) as output, _noted(command):
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


def _noted(command: str) -> AbstractContextManager[None]:
    """Let ``heat-config status`` show that it runs."""
    try:
        return applying.noted(settings.load(), _program(command))
    except SettingsError:
        return nullcontext()


def _program(command: str) -> str:
    """The name of the program that a command line begins with."""
    return os.path.basename(command.partition(" ")[0])  # noqa: PTH119 - a text


@contextmanager
def _output(command: str) -> Iterator[journal.Lines | None]:
    """Where the command's output goes; None where that is where this process's own goes.

    In the journal it is for those who look for something: dib-run-parts alone writes thirty lines
    for each change. What the agent has to say has a priority of its own, and so may a script's.
    """
    try:
        takes = journal.takes(sys.stderr)
        stream = journal.Lines(_program(command), journal.DEBUG) if takes else None
    except OSError:
        stream = None
    try:
        yield stream
    finally:
        if stream:
            stream.close()
