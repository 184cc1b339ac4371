# SPDX-License-Identifier: Apache-2.0
"""What docs/hooks.md says that the hooks have been tested with."""

from __future__ import annotations

import re

from tests.support.checkout import REPOSITORY

# A command of a shell that tells the version of each group's tool.
COMMANDS = {
    "ansible": r"ansible --version | sed -n '1s/.*core \(.*\)]/\1/p'",
    "puppet": "puppet --version",
    "salt": r"salt-call --version | sed 's/.*call \([^ ]*\).*/\1/'",
    "docker-cmd": "podman --version | sed 's/.* //'",
    "kubelet": "podman --version | sed 's/.* //'",
}


def is_named(group: str, version: str) -> bool:
    """Whether a group's row of the table has a version of this series.

    What comes after the second number changes with a distribution's updates.
    """
    return series(version) in map(series, _named_for(group))


def series(version: str) -> str:
    """A version's first two numbers; all of what does not begin with two."""
    found = re.match(r"\d+\.\d+", version)
    return found[0] if found else version


def _named_for(group: str) -> list[str]:
    text = (REPOSITORY / "docs/hooks.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    cells = [row[2] for row in rows if len(row) == 3 and group in row[0].split(", ")]
    return re.findall(r"\d+(?:\.\d+)+", cells[0])
