# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from heat_config import files


def test_a_file_is_replaced_as_a_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a longer text")
    path.chmod(0o644)
    files.write_durably(path, "short")
    assert path.read_text() == "short"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_the_umask_does_not_decide(tmp_path: Path) -> None:
    old = os.umask(0o777)
    try:
        files.write_private(tmp_path / "a", "x", mode=0o640)
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_private(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text() == "kept"
    assert not (tmp_path / "link").is_symlink()


def test_what_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_durably(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_only_old_leftovers_are_removed(tmp_path: Path) -> None:
    for name, age in ((".old.json.1.tmp", 2 * files.LEFT_OVER_AFTER), (".new.json.2.tmp", 0)):
        (tmp_path / name).touch()
        moment = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (moment, moment))
    (tmp_path / "kept.json").touch()
    files.remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.json.2.tmp", "kept.json"]


def test_the_folders_above_are_private_too(tmp_path: Path) -> None:
    files.make_private_folder(tmp_path / "a" / "b" / "c")
    for made in ("a", "a/b", "a/b/c"):
        assert (tmp_path / made).stat().st_mode & 0o777 == 0o700
    tmp_path.chmod(0o755)
    files.make_private_folder(tmp_path / "a")
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_folders_that_a_system_has_are_made_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, int] = {}
    monkeypatch.setattr(Path, "is_dir", lambda path: str(path) in ("/", "/var"))

    def mkdir(path: Path, mode: int = 0o777, *, exist_ok: bool = False) -> None:
        assert exist_ok
        made[str(path)] = mode

    monkeypatch.setattr(Path, "mkdir", mkdir)
    files.make_private_folder(Path("/var/log/heat-config/logs"))
    assert made == {
        "/var/log": 0o755,
        "/var/log/heat-config": 0o700,
        "/var/log/heat-config/logs": 0o700,
    }


def hold(folder: Path) -> int:
    """What any user can do with a folder that he can open: hold its lock for ever."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def never() -> None:
    raise AssertionError("the lock is held by another")


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o711])
def test_nobody_else_can_hold_the_lock_of_a_folder_that_others_can_open(
    tmp_path: Path, mode: int
) -> None:
    tmp_path.chmod(mode)
    held = hold(tmp_path)
    try:
        for _ in range(2):
            assert not files.is_locked(str(tmp_path))
            with files.locked(str(tmp_path), never):
                assert files.is_locked(str(tmp_path))
                with (
                    pytest.raises(AssertionError, match="held by another"),
                    files.locked(str(tmp_path), never),
                ):
                    pass
    finally:
        os.close(held)
    assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == mode


def test_the_lock_is_not_looked_for_behind_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(0o755)
    tmp_path.chmod(0o755)
    (tmp_path / ".lock").symlink_to(elsewhere)
    with pytest.raises(OSError, match="lock"), files.locked(str(tmp_path), never):
        pass
    assert elsewhere.stat().st_mode & 0o777 == 0o755


def test_the_lock_of_a_private_folder_is_its_own(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    held = hold(tmp_path)
    assert files.is_locked(str(tmp_path))
    os.close(held)
    assert not files.is_locked(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
