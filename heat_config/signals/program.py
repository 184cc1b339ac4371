# SPDX-License-Identifier: Apache-2.0
"""A program that sends results in the agent's place (HEAT_CONFIG_NOTIFY)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from heat_config import log, process
from heat_config.signals.errors import SignalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def send(program: str, config: Path, message: Mapping[str, Any]) -> str:
    """Run ``program CONFIG < message``; exit status 0 means accepted.

    :raises SignalError: it cannot be run, or ended otherwise.
    """
    try:
        completed = process.run(
            [program, config],
            stdin=json.dumps(message).encode("ascii"),
            on_stdout=log.info,
            on_stderr=log.info,
        )
    except OSError as error:
        raise SignalError(f"{program}, named by HEAT_CONFIG_NOTIFY: {error}") from None
    if completed.returncode:
        raise SignalError(f"{program} {completed.ending}", retry=True)
    return program
