# SPDX-License-Identifier: Apache-2.0
"""What a server is given and how it is found again. No server is booted here."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.process import boot_id, start_time
from lab.server import BOOT_CONFIG, File, Server, cgroups
from lab.server import state as server_state
from lab.server.__main__ import main
from lab.server.files import nameless_file
from lab.server.state import Running
from lab.server.supervisor import Supervisor, children


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "server"
    monkeypatch.setattr(server_state, "STATE", folder)
    return folder


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
    def test_finds_one_that_runs(self) -> None:
        remember(start=start_time(os.getpid()) or 0)

        found = Server.find()

        assert found.leader == 4711
        assert "nsenter --target=4711 " in found.shell_command()

    @pytest.mark.parametrize(("start", "boot"), [(1, ""), (0, "an earlier boot")])
    def test_forgets_one_whose_pid_is_anothers_now(
        self, state: Path, start: int, boot: str
    ) -> None:
        remember(start=start or start_time(os.getpid()) or 0, boot=boot)

        with pytest.raises(LabError, match="no server 'server' is running"):
            Server.find()
        assert not (state / "server.json").exists()

    def test_says_how_to_boot_one(self) -> None:
        with pytest.raises(LabError, match="boot"):
            Server.find("other")

    def test_forgets_one_that_is_powered_off(self, state: Path) -> None:
        remember(start=start_time(os.getpid()) or 0)

        server_state.forget("server")

        assert list(state.iterdir()) == []


def remember(*, start: int, boot: str = "") -> None:
    server_state.remember(Running("server", os.getpid(), start, 4711, boot or boot_id(), "/"))


def test_what_is_written_down_is_roots_alone(state: Path) -> None:
    remember(start=1)

    assert state.stat().st_mode & 0o777 == 0o700


def test_a_secret_is_in_a_file_that_is_in_no_folder() -> None:
    with nameless_file("secret") as descriptor:
        assert Path(f"/proc/self/fd/{descriptor}").read_text() == "secret"
        assert os.fstat(descriptor).st_nlink == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


class TestCgroups:
    def test_are_those_that_systemd_manages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cgroups, "ROOT", Path("/no/such"))
        text = "5:cpu:/a\n1:name=systemd:/b/c\n0::/d\n"

        assert cgroups.own_groups(text) == [Path("/no/such/systemd/b/c"), Path("/no/such/d")]

    def test_of_the_unified_hierarchy_may_have_a_folder_of_their_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cgroups, "ROOT", tmp_path)
        (tmp_path / "unified").mkdir()

        assert cgroups.own_groups("0::/\n") == [tmp_path / "unified"]

    def test_are_left_to_a_systemd_of_this_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cgroups, "SYSTEMD", tmp_path)
        assert cgroups.for_machine("m") == []

        monkeypatch.setattr(cgroups, "SYSTEMD", tmp_path / "none")
        assert {group.name for group in cgroups.for_machine("m")} == {"m"}


# Ends after its child has, as a container's supervisor does after nspawn; a TERM ends both.
HOLDING = "sleep 60 & child=$!; trap 'kill $child' TERM; echo up; wait $child; wait $child"
DEAF = f"trap '' TERM; {HOLDING.replace('trap', ': trap')}"


class TestSupervisor:
    def test_powers_off(self) -> None:
        with supervisor(HOLDING) as held:
            held.stop(0, timeout=10)

            assert held.child and held.child.returncode is not None

    @pytest.mark.parametrize("timeout", [0, 0.1])
    def test_cuts_the_power_of_what_does_not_end(self, timeout: float) -> None:
        with supervisor(DEAF) as held:
            (below,) = children(held.pid)

            held.stop(0, timeout=timeout)

            assert held.has_ended()
            assert start_time(below) is None

    def test_has_not_ended_before_it_has_been_waited_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with subprocess.Popen(["true"]) as child:
            held = Supervisor("x", child.pid, child)
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            with monkeypatch.context() as ended_after_the_look:
                ended_after_the_look.setattr(child, "poll", lambda: None)
                assert not held.has_ended()

            assert held.has_ended()

    def test_is_found_again_by_its_id_alone(self) -> None:
        with supervisor(HOLDING) as held:
            found = Supervisor("x", held.pid)
            assert not found.has_ended()

            found.stop(children(held.pid)[0], timeout=0)

            assert found.has_ended()

    def test_has_no_leader_before_a_systemd_can_be_talked_to(self) -> None:
        with supervisor(HOLDING) as held:
            assert held.leader() == 0


@contextmanager
def supervisor(text: str) -> Iterator[Supervisor]:
    """A shell that runs this, and prints a line when it is ready."""
    command = ["sh", "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout and child.stdout.readline()
        try:
            yield Supervisor("x", child.pid, child)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


@pytest.mark.parametrize("argument", ["shell", "journal", "stop"])
def test_the_command_line_reports_that_there_is_none(
    argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument]) == 1
    assert "no server" in capsys.readouterr().err
