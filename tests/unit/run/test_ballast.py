# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from heat_config.run import ballast
from heat_config.run.ballast import Ballast
from tests.support.disks import Disks

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / ".ballast"


@pytest.fixture
def made(tmp_path: Path) -> Ballast:
    folders = tmp_path / "deployed", tmp_path / "outbox"
    for folder in folders:
        folder.mkdir()
    return Ballast(*map(str, folders))


def test_it_takes_up_space_once_on_each_file_system(
    made: Ballast, there: Path, tmp_path: Path
) -> None:
    made.take_on()
    found = there.stat()
    assert found.st_size == ballast.SIZE
    assert found.st_blocks * 512 >= ballast.SIZE
    assert found.st_mode & 0o777 == 0o600
    assert list(tmp_path.rglob(".ballast")) == [there]


def test_what_is_there_is_left_alone(made: Ballast, there: Path) -> None:
    made.take_on()
    before = there.stat()
    made.take_on()
    assert there.stat() == before


def test_a_part_of_it_is_made_whole(made: Ballast, there: Path) -> None:
    there.write_text("x")
    made.take_on()
    assert there.stat().st_size == ballast.SIZE


def test_that_it_does_not_fit_is_an_error_and_leaves_nothing(
    made: Ballast, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is run then might find no room for its result."""

    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        made.take_on()
    assert not there.exists()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Ballast(str(tmp_path / "none"))


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


# From here on there are real file systems.


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    made = Disks(tmp_path)
    made.hook("echo run >> $RUNS; echo '{\"deploy_status_code\": 0}'")
    return made


def test_each_file_system_has_its_own_and_one_that_is_read_only_is_an_error(disks: Disks) -> None:
    steps = """
from heat_config.run.ballast import Ballast

mount("deployed"); mount("outbox")
made = Ballast(GIVEN.deployed, GIVEN.outbox)
made.take_on()
tell(sorted(str(path.relative_to(STATE)) for path in STATE.rglob(".ballast")))
read_only("deployed")
try:
    made.take_on()
except OSError as error:
    tell(error.strerror)
"""
    there, error = disks.drive(steps)
    assert there == ["deployed/.ballast", "outbox/.ballast"]
    assert error == "Read-only file system"


def test_a_disk_that_is_full_is_reported_and_nothing_is_run(disks: Disks) -> None:
    steps = """
mount(".")
run("c1"); fill("."); run("c1", "c2")
tell(pending(), results())
empty("."); run("c1", "c2")
tell(pending(), results())
"""
    (pending, results), (pending_later, results_later) = disks.drive(steps)
    assert pending["c2"] == results["c2"]
    assert results["c2"]["deploy_status_code"] == 1
    assert "not run, because the disk is full" in results["c2"]["deploy_stderr"]
    assert disks.count_runs() == 1
    # It has been answered: that there is room again changes nothing.
    assert results_later == results
    assert pending_later.keys() == {"c1", "c2"}


def test_a_script_that_fills_the_disk_is_answered_all_the_same(disks: Disks) -> None:
    disks.hook(
        "cat /dev/zero > ${HEAT_CONFIG_OUTBOX%/*}/by-the-script 2>/dev/null\n"
        "head -c 300000 /dev/zero | tr '\\0' x; echo the end; exit 4"
    )
    ((status, pending, results),) = disks.drive('mount("."); tell(run("c1"), pending(), results())')
    assert status == 0
    assert pending["c1"] == results["c1"]
    assert results["c1"]["deploy_status_code"] == 4
    assert results["c1"]["deploy_stdout"].endswith("xthe end\n")
    assert "left out" in results["c1"]["deploy_stdout"]


def test_logs_of_what_is_not_pending_make_room_for_an_answer(disks: Disks) -> None:
    """Of c2, whose script has filled even the ballast's place."""
    disks.hook(
        'if grep -q \'"id": "c2"\'; then cd $HEAT_CONFIG_OUTBOX; rm .ballast\n'
        "cat /dev/zero > ../by-the-script; fi 2>/dev/null\n"
        'echo \'{"deploy_status_code": 0, "deploy_stdout": "done"}\''
    )
    steps = """
mount(".")
run("c1")
logs = Path(GIVEN.logs)
logs.mkdir(exist_ok=True)
for each in ("c1", "done"):
    (logs / f"{each}.log").write_bytes(bytes(200_000))
tell(run("c1", "c2"), pending(), sorted(path.name for path in logs.glob("*.log")))
"""
    ((status, pending, logs),) = disks.drive(steps)
    assert status == 0
    assert pending["c2"]["deploy_stdout"] == "done"
    assert logs == ["c1.log"]


def test_there_is_ballast_again_when_there_is_room_again(disks: Disks) -> None:
    steps = """
mount(".")
there = lambda: (Path(GIVEN.outbox) / ".ballast").exists()
run("c1"); tell(there())
fill("."); run("c1", "c2"); tell(there())
empty("."); run("c1", "c2", "c3"); tell(there())
"""
    assert disks.drive(steps) == [True, False, True]


def test_logs_of_what_is_not_pending_make_room_for_the_ballast(disks: Disks) -> None:
    """Else nothing would ever run again on a disk that old logs have filled."""
    steps = """
mount(".")
run("c1")
(Path(GIVEN.outbox) / ".ballast").unlink()
logs = Path(GIVEN.logs)
logs.mkdir(exist_ok=True)
for number in range(9):
    (logs / f"done-{number}.log").write_bytes(bytes(100_000))
fill(".")
tell(run("c1", "c2"), results()["c2"]["deploy_status_code"], len(list(logs.glob("done-*.log"))))
"""
    assert disks.drive(steps) == [[0, 0, 0]]
