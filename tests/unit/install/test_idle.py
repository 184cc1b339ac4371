# SPDX-License-Identifier: Apache-2.0
"""Whether a config is being run: what a package asks before it goes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heat_config import files
from heat_config.install import idle
from tests.support.checkout import REPOSITORY


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEAT_CONFIG_DEPLOYED", str(tmp_path / "deployed"))
    return tmp_path / "deployed"


def ask() -> subprocess.CompletedProcess[str]:
    """As the scripts of a package do."""
    command = [sys.executable, "-m", "heat_config.install.idle"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def test_none_is_where_none_ever_was_or_the_last_has_ended(deployed: Path) -> None:
    assert ask().returncode == 0
    deployed.mkdir(mode=0o700)
    assert ask().returncode == 0


def test_one_is_while_its_run_holds_the_lock(deployed: Path) -> None:
    deployed.mkdir(mode=0o700)
    with files.locked(str(deployed)):
        done = ask()
    assert done.returncode == 1
    assert idle.REMEDY in done.stdout + done.stderr
    assert ask().returncode == 0
