# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from pathlib import Path

from heat_config.run import heat_agents


def test_a_blob_id_is_gits(tmp_path: Path) -> None:
    """So that anybody can make the list again with git."""
    path = tmp_path / "hook"
    path.write_bytes(b"#!/usr/bin/env python3\n\xfc\n")
    of_git = subprocess.run(
        ["git", "hash-object", path], capture_output=True, text=True, check=True
    )
    assert heat_agents.blob_id(path.read_bytes()) == of_git.stdout.strip()


def test_what_cannot_be_read_or_is_too_large_is_none_of_theirs(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"x" * (heat_agents.LARGEST + 1))
    assert not heat_agents.is_of_heat_agents(large)
    assert not heat_agents.is_of_heat_agents(tmp_path / "nothing")
