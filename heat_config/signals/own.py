# SPDX-License-Identifier: Apache-2.0
"""A notify program of the operator's own, which need not be named.

heat-agents sent every result with ``heat-config-notify``, whichever was the first on PATH, so
people have put theirs there. Neither ours nor heat-agents' own is one: on a server that has
moved from heat-agents that may still stand beside ours, and it cannot signal over Zaqar.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import log

if TYPE_CHECKING:
    from heat_config.settings import Settings

NAME = "heat-config-notify"
# What an entry point of this package imports, and the name of heat-agents' own log.
_OURS = b"heat_config.cli"
_HEAT_AGENTS = b"getLogger('heat-config-notify')"
# Bytes of the program that are looked at.
_LOOKED_AT = 65_536


def with_own_program(settings: Settings) -> Settings:
    """The settings with the program on PATH that is an operator's, unless one is named."""
    found = None if settings.notify else shutil.which(NAME)
    if found is None or not _is_own(found):
        return settings
    log.info(f"results are sent by {found}, which is neither this agent's nor heat-agents'")
    return settings._replace(notify=found)


def _is_own(program: str) -> bool:
    try:
        with Path(program).open("rb") as file:
            text = file.read(_LOOKED_AT)
    except OSError as error:
        log.warning(f"{program} is not used: {error}")
        return False
    if _HEAT_AGENTS in text:
        log.info(
            f"{program} is heat-agents', or made from it, and not used. To use it all the same: "
            f"HEAT_CONFIG_NOTIFY={program}"
        )
        return False
    return _OURS not in text
