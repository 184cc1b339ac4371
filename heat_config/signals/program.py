# SPDX-License-Identifier: Apache-2.0
"""A program that sends results in the agent's place (HEAT_CONFIG_NOTIFY)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from heat_config import log, process
from heat_config.cloud.errors import CloudError
from heat_config.signals.sender import Accepted

if TYPE_CHECKING:
    from pathlib import Path

    from heat_config.result import Result


class Program:
    """``program CONFIG < result``; exit status 0 means accepted."""

    limit = sys.maxsize
    doubt = False
    heat_doubt = False

    def __init__(self, program: str, config: Path) -> None:
        self._program = program
        self._config = config

    def send(self, result: Result) -> Accepted:
        """Run the program.

        :raises CloudError: it cannot be run, or ended otherwise.
        """
        try:
            completed = process.run(
                [self._program, self._config],
                stdin=result.as_json().encode("ascii"),
                on_stdout=log.info,
                on_stderr=log.info,
            )
        except OSError as error:
            raise CloudError(f"{self._program}, named by HEAT_CONFIG_NOTIFY: {error}") from None
        if completed.returncode:
            raise CloudError(f"{self._program} {completed.ending}", retry=True)
        return Accepted(self._program)

    def clean(self) -> None:
        """What it leaves is its own."""
