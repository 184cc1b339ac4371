# SPDX-License-Identifier: Apache-2.0
"""What cloud-init has written of a server's user data is for root alone, whenever it comes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from heat_config.collect import first


def written(path: Path, mode: int = 0o644) -> Path:
    path.write_text("the password")
    path.chmod(mode)
    return path


def mode_of(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def test_others_cannot_read_it_any_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = written(tmp_path / "one"), written(tmp_path / "other", 0o604)
    missing = [str(tmp_path / "missing"), str(one / "no-folder")]
    first.make_private([*missing, str(one), str(other)])
    assert [mode_of(one), mode_of(other)] == [0o600, 0o600]
    assert capsys.readouterr().err.count("root alone can") == 2
    first.make_private([str(one)])
    assert capsys.readouterr().err == ""


def test_it_does_not_follow_a_link(tmp_path: Path) -> None:
    target = written(tmp_path / "target")
    (tmp_path / "link").symlink_to(target)
    first.make_private([str(tmp_path / "link")])
    assert mode_of(target) == 0o644


def test_a_disk_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    one, other = str(written(tmp_path / "one")), written(tmp_path / "other", 0o600)
    monkeypatch.setattr(os, "chmod", refuse)
    for _ in range(3):
        first.make_private([one, str(other)])
    assert capsys.readouterr().err.count("Read-only file system") == 1
