# SPDX-License-Identifier: Apache-2.0
"""One process at a time collects and applies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from heat_config import files
from heat_config.collect import systemd, turn

HOLDER = """
import sys, time
from heat_config.collect import turn
with turn.taken(sys.argv[1]):
    print("taken", flush=True)
    sys.stdin.read()
"""


def test_the_folder_is_made_and_held_as_long_as_it_takes(tmp_path: Path) -> None:
    folder = str(tmp_path / "cache")
    with turn.taken(folder):
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert files.is_locked(folder)
    assert not files.is_locked(folder)


def test_another_process_is_waited_for_and_the_watchdog_fed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin and other.stdout and other.stdout.readline() == "taken\n"
        fed = []

        def feed() -> None:
            fed.append(other.poll())
            if len(fed) == 3:
                assert other.stdin
                other.stdin.close()

        monkeypatch.setattr(systemd, "alive", feed)
        with turn.taken(str(tmp_path)):
            assert other.wait(30) == 0
    assert fed[:3] == [None] * 3
    assert capsys.readouterr().err.count("another process is at work") == 1
