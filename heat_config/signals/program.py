# SPDX-License-Identifier: Apache-2.0
"""A program that sends results in the agent's place (HEAT_CONFIG_NOTIFY)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from heat_config import log, process
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from heat_config.result import Result

# Tells the program that the agent holds the outbox, and keeps the result until it ends well:
# it may end in heat-config-notify.
DELIVERING = "HEAT_CONFIG_DELIVERING"
# Seconds that it may take: meanwhile the agent runs and sends nothing else.
TIME_LIMIT = 300.0


class Program:
    """``program CONFIG < result``; exit status 0 means accepted."""

    limit = sys.maxsize

    def __init__(self, program: str, config: Path) -> None:
        self._program = program
        self._config = config

    def post(self, result: Result) -> str:
        """Run the program; return its name.

        :raises CloudError: it cannot be run, or ended otherwise, and nobody knows what it did.
        """
        try:
            completed = process.run(
                [self._program, self._config],
                stdin=result.as_json().encode("ascii"),
                env={**os.environ, DELIVERING: "1"},
                on_stdout=log.debug,
                on_stderr=log.debug,
                time_limit=TIME_LIMIT,
            )
        except OSError as error:
            raise CloudError(
                f"{self._program}, named by HEAT_CONFIG_NOTIFY: {error}", Outcome.WRONG_HERE
            ) from None
        if completed.returncode:
            raise CloudError(f"{self._program} {completed.ending}", Outcome.UNKNOWN)
        return self._program
