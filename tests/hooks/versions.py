# SPDX-License-Identifier: Apache-2.0
"""What README.md says that the hooks have been tested with."""

from __future__ import annotations

import re

from tests.functional.server import REPOSITORY

# A command of a shell that tells the version of each group's tool.
COMMANDS = {
    "ansible": r"ansible --version | sed -n '1s/.*core \(.*\)]/\1/p'",
    "puppet": "puppet --version",
    "salt": r"salt-call --version | sed 's/.*call \([^ ]*\).*/\1/'",
    "docker-cmd": "podman --version | sed 's/.* //'",
    "kubelet": "podman --version | sed 's/.* //'",
}


def named_for(group: str) -> list[str]:
    """The versions in a group's row of the table."""
    text = (REPOSITORY / "README.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    cells = [row[2] for row in rows if len(row) == 3 and group in row[0].split(", ")]
    return re.findall(r"\d+(?:\.\d+)+", cells[0])
