# SPDX-License-Identifier: Apache-2.0
"""What the tests of a run share: an address that answers, and a hook that is a few lines of sh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.clock import Clock
from tests.support.far_end import FarEnd


@pytest.fixture(autouse=True)
def programs_find_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    made.take_place(monkeypatch)
    return made


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    made = FarEnd()
    made.take_place(monkeypatch)
    return made


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """As on a server; in this process waiting takes no time."""
    folders = (str(tmp_path / "hooks"), *settings.hook_folders)
    return settings._replace(hook_folders=folders, first_wait=0.5)


@pytest.fixture
def hook(tmp_path: Path, runs: object) -> Callable[[str], None]:
    """Run this with sh for every config of group "sh", which it finds on its stdin.

    For tests that run many, or to which the configs' text is nothing.
    """
    assert runs
    path = tmp_path / "hooks" / "sh"
    path.parent.mkdir()

    def write(text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    return write


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often something was noted in the file $RUNS, a line each."""
    path = tmp_path / "runs"
    monkeypatch.setenv("RUNS", str(path))
    return lambda: len(path.read_text().splitlines()) if path.exists() else 0
