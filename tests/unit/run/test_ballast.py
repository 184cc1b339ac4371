# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heat_config.run import ballast
from heat_config.run.ballast import Ballast
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / ".ballast"


@pytest.fixture
def made(tmp_path: Path) -> Ballast:
    return Ballast(str(tmp_path / "outbox"))


def test_it_takes_up_space_beside_the_outbox(made: Ballast, there: Path) -> None:
    made.take_on()
    found = there.stat()
    assert found.st_size == ballast.SIZE
    assert found.st_blocks * 512 >= ballast.SIZE
    assert found.st_mode & 0o777 == 0o600


def test_what_is_there_is_left_alone(made: Ballast, there: Path) -> None:
    made.take_on()
    before = there.stat()
    made.take_on()
    assert there.stat() == before


def test_a_part_of_it_is_made_whole(made: Ballast, there: Path) -> None:
    there.write_text("x")
    made.take_on()
    assert there.stat().st_size == ballast.SIZE


def test_that_it_does_not_fit_is_no_fault(
    made: Ballast, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(os, "posix_fallocate", full)
    made.take_on()
    assert not there.exists()


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    Ballast(str(tmp_path / "none" / "outbox")).take_on()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_it_goes_when_the_disk_is_full(made: Ballast, there: Path, number: int) -> None:
    made.take_on()
    assert made.drop(OSError(number, "full"))
    assert not there.exists()
    assert made.drop(OSError(number, "full"))


def test_it_stays_when_something_else_is_wrong(made: Ballast, there: Path) -> None:
    made.take_on()
    assert not made.drop(OSError(errno.EIO, "Input/output error"))
    assert there.exists()


# A file system of 2 MB for $1, in a name space of its own that ends with its process,
# and with it the file system; nothing of it is ever seen outside.
IN_A_SMALL_ROOM = """
mount -t tmpfs -o size=2m,mode=0700 tmpfs "$1"
shift
exec "$@"
"""

# Runs the agent on it, then fills it up, and so on as it is told.
DRIVE = """
import json, os, sys
from pathlib import Path
from heat_config import settings
from heat_config.run import loop as agent

given = settings.load()

def run(*items):
    Path(given.config_file).write_text(json.dumps(items))
    agent.run(given)

def fill():
    try:
        with open(Path(given.deployed).parent / "fill", "ab", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
    except OSError:
        pass

def empty():
    (Path(given.deployed).parent / "fill").unlink()

def tell():
    outbox = {path.stem: json.loads(path.read_text()) for path in Path(given.outbox).glob("*.json")}
    results = {
        path.name.partition(".")[0]: json.loads(path.read_text())
        for path in Path(given.deployed).glob("*.notify.json")
    }
    print(json.dumps([{key: entry["message"] for key, entry in outbox.items()}, results]))

"""


@pytest.fixture
def on_a_small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a program that drives the agent; return what it tells of outbox and results."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("mounting a file system of its own needs root and unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    for name in ("DEPLOYED", "OUTBOX", "LOGS"):
        monkeypatch.setenv(f"HEAT_CONFIG_{name}", str(disk / name.lower()))
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    monkeypatch.setenv("HEAT_CONFIG_HOOKS", str(hooks))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))

    def drive(hook: str, steps: str) -> Any:
        (hooks / "script").write_text(hook)
        (hooks / "script").chmod(0o755)
        room = ["unshare", "--mount", "sh", "-ec", IN_A_SMALL_ROOM, "sh", str(disk)]
        done = subprocess.run(
            [*room, sys.executable, "-c", DRIVE + steps],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stderr.startswith(("unshare: ", "mount: ")):
            pytest.skip(f"this machine does not let one mount: {done.stderr}")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return drive


# Nobody listens there, so what is owed stays in the outbox.
AWAY = [{"name": "deploy_signal_id", "value": "http://127.0.0.1:1/"}]


def items(*ids: str) -> str:
    return ", ".join(repr(script("x", config_id=each, inputs=AWAY)) for each in ids)


def test_a_disk_that_is_full_is_reported_and_nothing_is_run(
    on_a_small_disk: Any, tmp_path: Path
) -> None:
    hook = f"#!/bin/sh\necho run >> {tmp_path}/runs\necho '{{\"deploy_status_code\": 0}}'"
    steps = f"run({items('c1')}); fill(); run({items('c1', 'c2')}); tell(); "
    steps += f"empty(); run({items('c1', 'c2')}); tell()"
    (owed, results), (owed_later, results_later) = on_a_small_disk(hook, steps)
    assert owed["c2"] == results["c2"]
    assert owed["c2"]["deploy_status_code"] == 1
    assert "not run, because the disk is full" in owed["c2"]["deploy_stderr"]
    assert (tmp_path / "runs").read_text() == "run\n"
    # It has been answered: that there is room again changes nothing.
    assert results_later == results
    assert owed_later.keys() == {"c1", "c2"}


def test_a_script_that_fills_the_disk_is_answered_all_the_same(on_a_small_disk: Any) -> None:
    hook = (
        "#!/bin/sh\ncat /dev/zero > ${HEAT_CONFIG_OUTBOX%/*}/by-the-script 2>/dev/null\n"
        "head -c 300000 /dev/zero | tr '\\0' x; echo the end; exit 4"
    )
    ((owed, results),) = on_a_small_disk(hook, f"run({items('c1')}); tell()")
    assert owed["c1"] == results["c1"]
    assert owed["c1"]["deploy_status_code"] == 4
    assert owed["c1"]["deploy_stdout"].endswith("xthe end\n")
    assert "left out" in owed["c1"]["deploy_stdout"]


def test_logs_of_what_is_not_owed_make_room_for_an_answer(on_a_small_disk: Any) -> None:
    hook = "#!/bin/sh\necho '{\"deploy_status_code\": 0}'"
    steps = f"""
run({items("c1")})
logs = Path(given.logs)
for each in ("c1", "done"):
    (logs / f"{{each}}.log").write_bytes(bytes(200_000))
fill()
run({items("c1", "c2")})
(Path(given.outbox).parent / ".ballast").unlink(missing_ok=True)
fill()
run({items("c1", "c2", "c3")})
tell()
print(json.dumps(sorted(path.name for path in logs.glob("*.log"))))
"""
    (owed, _), logs = on_a_small_disk(hook, steps)
    assert "not run, because the disk is full" in owed["c3"]["deploy_stderr"]
    assert "c1.log" in logs and "done.log" not in logs


def test_there_is_ballast_again_when_there_is_room_again(on_a_small_disk: Any) -> None:
    hook = "#!/bin/sh\necho '{\"deploy_status_code\": 0}'"
    there = "print(json.dumps((Path(given.outbox).parent / '.ballast').exists()))"
    steps = f"run({items('c1')}); {there}; fill(); run({items('c1', 'c2')}); {there}; "
    steps += f"empty(); run({items('c1', 'c2', 'c3')}); {there}"
    assert on_a_small_disk(hook, steps) == [True, False, True]
