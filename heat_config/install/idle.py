# SPDX-License-Identifier: Apache-2.0
"""Whether the agent may be taken away: what the scripts of a distribution's package ask, too.

``python3 -m heat_config.install.idle``: exit status 0 when no config is being run, else 1.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, log, settings

if TYPE_CHECKING:
    from heat_config.settings import Settings

REMEDY = (
    "a config is being run: wait for it (heat-config status --wait), or end it (systemctl kill "
    "os-collect-config)"
)


def runs_config(given: Settings) -> bool:
    """Whether a config is being run: without the agent its result could not be sent any more.

    :raises OSError: the folder of what was run cannot be opened.
    """
    return Path(given.deployed).is_dir() and files.is_locked(given.deployed)


def main() -> int:
    """Say what to do, if so; return the exit status.

    :raises SettingsError: a setting is not usable.
    """
    if runs_config(settings.load()):
        log.error(REMEDY)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
