# SPDX-License-Identifier: Apache-2.0
"""What a server is given and how it is found again. No server is booted here."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from lab import server
from lab.errors import LabError
from lab.process import boot_id, start_time
from lab.server import BOOT_CONFIG, File, Running, Server


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(server, "STATE", tmp_path)
    return tmp_path


class TestFile:
    def test_is_one_line_whatever_it_holds(self) -> None:
        line = File("/etc/x", 'a %m "q"\n\\n ü\n', 0o640).tmpfiles_line()

        kind, path, mode, owner, group, age, text = line.split()
        assert line.count("\n") == 1
        assert (kind, path, mode, owner, group, age) == (
            "f+~",
            "/etc/x",
            "0640",
            "root",
            "root",
            "-",
        )
        assert base64.b64decode(text).decode() == 'a %m "q"\n\\n ü\n'

    def test_is_readable_by_root_alone_unless_told_otherwise(self) -> None:
        assert " 0600 " in File("/etc/x", "").tmpfiles_line()


class TestServer:
    def test_starts_with_the_collector_that_needs_no_network(self) -> None:
        assert Server(Path("/")).files == (BOOT_CONFIG,)

    def test_starts_with_the_configuration_that_it_is_given(self) -> None:
        own = File(BOOT_CONFIG.path, "[DEFAULT]\n")

        assert Server(Path("/"), files=[own]).files == (own,)

    def test_that_is_not_booted_says_so(self) -> None:
        with pytest.raises(LabError, match="not booted"):
            Server(Path("/")).run(["true"])

    def test_without_root_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 1000)

        with pytest.raises(LabError, match="root"):
            Server(Path("/")).boot()


class TestFind:
    def test_finds_one_that_runs(self, state: Path) -> None:
        remember(state, start=start_time(os.getpid()) or 0)

        found = Server.find()

        assert found.leader == 4711
        assert "nsenter --target=4711 " in found.shell_command()

    @pytest.mark.parametrize(("start", "boot"), [(1, ""), (0, "an earlier boot")])
    def test_forgets_one_whose_pid_is_anothers_now(
        self, state: Path, start: int, boot: str
    ) -> None:
        remember(state, start=start or start_time(os.getpid()) or 0, boot=boot)

        with pytest.raises(LabError, match="no server 'server' is running"):
            Server.find()
        assert not (state / "server.json").exists()

    def test_says_how_to_boot_one(self) -> None:
        with pytest.raises(LabError, match="boot"):
            Server.find("other")


def remember(state: Path, *, start: int, boot: str = "") -> None:
    running = Running("server", os.getpid(), start, 4711, boot or boot_id(), "/")
    (state / "server.json").write_text(json.dumps(asdict(running)))


def test_no_file_is_left_in_a_folder(tmp_path: Path) -> None:
    with server._nameless_file("secret") as descriptor:
        assert Path(f"/proc/self/fd/{descriptor}").read_text() == "secret"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("argument", ["shell", "journal", "stop"])
def test_the_command_line_reports_that_there_is_none(
    argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert server.main([argument]) == 1
    assert "no server" in capsys.readouterr().err
