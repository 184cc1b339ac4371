# SPDX-License-Identifier: Apache-2.0
"""User data as a server of Nova's gets it: made by Heat's code, read by the server's cloud-init."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

from . import venv

MAKER = Path(__file__).with_name("heats_user_data.py")
# Where cloud-init looks for what a cloud without a metadata service has laid ready.
SEED = "/var/lib/cloud/seed/nocloud"


def from_heat(
    os_collect_config: dict[str, Any], authors: str, *, user_data_format: str = "SOFTWARE_CONFIG"
) -> str:
    """Return the user data of a server that is told this; ``authors``: those of the template.

    The format is ``SOFTWARE_CONFIG`` or ``RAW``.
    """
    asked = {
        "metadata": {"deployments": [], "os-collect-config": os_collect_config},
        "user_data": authors,
        "user_data_format": user_data_format,
    }
    # Not as an argument: it holds a password.
    made = subprocess.run(
        [venv.python(), MAKER],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return made.stdout


def lay_ready(user_data: str, folder: Path) -> dict[str, Path]:
    """Write it into a new folder; return that as a disk of a server, which must have cloud-init."""
    folder.mkdir(mode=0o700)
    files = {
        "user-data": user_data,
        "meta-data": json.dumps({"instance-id": str(uuid.uuid4())}),
        # It is this machine's network.
        "network-config": json.dumps({"network": {"config": "disabled"}}),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return {SEED: folder}
