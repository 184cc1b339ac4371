# SPDX-License-Identifier: Apache-2.0
"""docs/scale.md shows what the lab itself runs."""

from __future__ import annotations

import re
from pathlib import Path

from lab.ha.profile import POOLS

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs/scale.md").read_text()
LINES = {line.strip() for line in PAGE.splitlines()}


def lines(path: str, pattern: str) -> list[str]:
    found = (REPOSITORY / path).read_text().splitlines()
    return [line.strip() for line in found if re.match(pattern, line)]


def test_the_commands_for_the_pools_are_the_labs() -> None:
    commands = [line.strip() for line in POOLS.read_text().splitlines() if line[:1] != "#"]
    assert [command for command in commands if command not in LINES] == []


def test_the_options_are_the_labs() -> None:
    options = lines("lab/etc/zaqar.conf", r"(max_reconnect_attempts|reconnect_sleep|message_pip)")
    options += lines("lab/etc/heat.conf", "rabbit_quorum_queue")
    assert len(options) == 4
    assert [option for option in options if option not in LINES] == []
