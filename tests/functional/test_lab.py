# SPDX-License-Identifier: Apache-2.0
"""The lab itself: what it promises about processes, ports and files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import Lab, LabError, config
from lab.process import Process

CHECKOUT = Path(__file__).parents[2]


def processes_of(directory: Path) -> list[int]:
    """Find a lab's processes without asking the lab: by what /proc says of them."""
    own = os.getpid()
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and int(entry.name) != own and belongs_to(entry, directory)
    ]


def belongs_to(entry: Path, directory: Path) -> bool:
    try:
        arguments = (entry / "cmdline").read_bytes().split(b"\0")
        works_in = (entry / "cwd").readlink()
    except OSError:
        return False
    named = any(str(directory).encode() in argument for argument in arguments)
    return named or works_in.is_relative_to(directory)


def nothing_left(directory: Path) -> bool:
    return wait_until(lambda: not processes_of(directory))


def wait_until(condition: Callable[[], object], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def listening() -> Iterator[tuple[str, str]]:
    """Yield (address, inode) of each TCP socket that listens; addresses as /proc has them."""
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[1].partition(":")[0], fields[9]


def sockets_of(pids: list[int]) -> set[str]:
    found = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                found.add(target[len("socket:[") : -1])
    return found


def shared_memory(creator: int) -> list[str]:
    """List the System V segments that a process made: they outlive it."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [line for line in lines if int(line.split()[4]) == creator]


def start(directory: Path, program: str) -> subprocess.Popen[str]:
    """Run a program that brings up a lab, as another process."""
    return subprocess.Popen(
        [sys.executable, "-c", program, str(directory)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_up_twice_changes_nothing(lab: Lab) -> None:
    before = lab.status()
    assert Lab(lab.directory).up() is False
    assert lab.status() == before
    with Lab(lab.directory) as same:
        assert same.environment() == lab.environment()
    assert lab.running, "who did not bring it up does not take it down"


def test_every_socket_is_on_loopback(lab: Lab) -> None:
    sockets = sockets_of(processes_of(lab.directory))
    addresses = [address for address, inode in listening() if inode in sockets]
    assert len(addresses) >= len(lab.status())
    assert set(addresses) == {"0100007F"}


def test_passwords_are_for_the_owner_alone(lab: Lab) -> None:
    files = [path for path in (lab.directory / "etc").iterdir() if path.is_file()]
    files.append(lab.directory / "state.json")
    assert len(files) > 5
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    secrets = {lab.environment()["OS_PASSWORD"], lab.environment("admin")["OS_PASSWORD"]}
    for path in lab.logs.values():
        assert not any(secret in path.read_text(errors="replace") for secret in secrets), path


def test_the_clients_work_with_its_variables(lab: Lab) -> None:
    exports = subprocess.check_output(
        [sys.executable, "-m", "lab", "--directory", lab.directory, "env"], cwd=CHECKOUT, text=True
    )
    command = f'{exports}\n"{lab.bin("openstack")}" stack list --format value'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_second_lab_beside_the_first(lab: Lab, tmp_path: Path) -> None:
    with Lab(tmp_path / "second") as second:
        assert second.running
        ports = [{port for state in one.status() for port in state.ports} for one in (lab, second)]
        assert not ports[0] & ports[1]
        assert second.environment()["OS_PASSWORD"] != lab.environment()["OS_PASSWORD"]
        assert processes_of(second.directory)
    assert not processes_of(second.directory)
    assert lab.running
    second.down()
    with pytest.raises(LabError, match="no lab is up"):
        second.environment()


def test_down_after_services_have_crashed(tmp_path: Path) -> None:
    crashed = Lab(tmp_path)
    crashed.up()
    pids = {state.name: state.pid for state in crashed.status()}
    for name in ("postgresql", "heat"):
        os.kill(pids[name], signal.SIGKILL)
    assert wait_until(lambda: sum(not state.alive for state in crashed.status()) == 2)
    assert not crashed.running
    # As after a crash of the program that brought it up: by its state file alone.
    Lab(tmp_path).down()
    assert not processes_of(tmp_path)
    assert not shared_memory(pids["postgresql"])
    assert "heat" in crashed.tail("heat"), "the logs stay"
    Lab(tmp_path).down()


def test_a_killed_program_takes_its_lab_along(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from lab import Lab\n"
        "with Lab(pathlib.Path(sys.argv[1])):\n"
        "    print('is up', flush=True); time.sleep(600)\n"
    )
    with start(tmp_path / "lab", program) as child:
        assert child.stdout is not None
        assert any("is up" in line for line in child.stdout)
        assert len(processes_of(tmp_path / "lab")) > 5
        child.kill()
    assert nothing_left(tmp_path / "lab")


def test_down_after_up_was_killed_half_way(tmp_path: Path) -> None:
    program = "import pathlib, sys; from lab import Lab; Lab(pathlib.Path(sys.argv[1])).up()"
    directory = tmp_path / "lab"
    with start(directory, program) as child:
        assert wait_until(lambda: len(Lab(directory).status()) > 3, 60)
        child.kill()
    assert len(processes_of(directory)) > 3
    assert not Lab(directory).running
    Lab(directory).down()
    assert not processes_of(directory)


def test_the_log_of_a_service_that_dies_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = tmp_path / "etc"
    shutil.copytree(config.TEMPLATES, templates)
    (templates / "redis.conf").write_text("no-such-directive yes\n")
    monkeypatch.setattr(config, "TEMPLATES", templates)
    with pytest.raises(LabError, match=r"redis ended with status 1\n.*redis.log\n[^$]*directive"):
        Lab(tmp_path / "lab").up()
    assert not processes_of(tmp_path / "lab")


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LabError, match=r"thesis\.txt"):
        Lab(tmp_path).up()
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_pid_that_is_someone_elses_now_is_not_killed(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lab = Lab(tmp_path)
        lab._state.add(Process("heat", stranger.pid, 1, "another boot"))
        lab.down()
        assert stranger.poll() is None
        stranger.kill()
