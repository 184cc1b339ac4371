# SPDX-License-Identifier: Apache-2.0
"""The configs of the schedules: scripts that note that they have run, and may do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faults.results.schedule import Asked

FAILED = 7
# The line of which a large output consists.
LARGE = "this is a line of a large output"

# The hook is the script's parent and the agent the hook's. What harms its own run
# does so the first time only, as a config may ask to be run again.
_AGENT = "$(cut -d ' ' -f 4 /proc/$PPID/stat)"
_HARMS = {
    "slow": "sleep 0.4",
    "long": "sleep 2",
    "lasts": "sleep 60",
    "kills-agent": f"kill -KILL {_AGENT}; sleep 0.1",
    "terms-agent": f"kill -TERM {_AGENT}; sleep 0.1",
    "kills-hook": "kill -KILL $PPID; sleep 0.1",
    "kills-all": f"kill -KILL {_AGENT} $PPID $$",
    "large": f"yes '{LARGE}' | head -c 300000; echo",
    # To the last byte, and what does not fit is no failure of the script.
    "fills-disk": "cat /dev/zero > {disk}/filler 2> /dev/null",
}


def config(asked: Asked, token: str, ran: Path, disk: Path) -> dict[str, Any]:
    """A config for Heat: its group, its text, its options and its one output.

    Heat keeps a deployment's outputs when a later config has other ones, so each
    config's output has a name of its own.
    """
    harm = _HARMS.get(asked.behaviour, ":").replace("{disk}", str(disk))
    lines = [
        "#!/bin/sh",
        f"echo ran >> {ran}",
        f"echo {token} begins",
        f'if [ "$(wc -l < {ran})" = 1 ]; then {harm}; fi',
        f'printf %s {token} > "$heat_outputs_path.{token}"',
        f"echo {token} ends",
        f"exit {status_code(asked)}",
    ]
    return {
        # The answer repeats it, and so tells whose it is.
        "group": f"nonesuch-{token}" if asked.behaviour == "no-hook" else "script",
        "config": "\n".join(lines) + "\n",
        "outputs": [{"name": token}],
        "options": {"interrupted": asked.interrupted} if asked.interrupted else {},
    }


def status_code(asked: Asked) -> int:
    """What the script's status code is, if nothing comes between."""
    return FAILED if asked.behaviour == "fails" else 0


def ends_well(asked: Asked) -> bool:
    """Whether its own answer must arrive as long as nobody else does harm."""
    return asked.behaviour in ("plain", "fails", "slow", "long", "large")
