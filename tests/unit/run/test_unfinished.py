# SPDX-License-Identifier: Apache-2.0
"""What this server's disk keeps from being begun, kept or sent: said, and taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import loop
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished
from heat_config.settings import Settings
from tests.support.deployments import inputs, script
from tests.support.disks import Disks
from tests.support.far_end import FarEnd, queue_of
from tests.support.inbox import Inbox

COUNT = "echo run >> $RUNS; echo '{\"deploy_status_code\": 0}'"
REMOUNT = "mount -o remount,ro"


@pytest.fixture
def folder(settings: Settings) -> Unfinished:
    return Unfinished(settings)


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    made = Disks(tmp_path)
    made.hook(COUNT)
    return made


def test_what_is_noted_is_named_until_it_is_done(folder: Unfinished, settings: Settings) -> None:
    folder.note(["c2", "c1"])
    assert folder.ids() == ["c1", "c2"]
    assert Path(settings.unfinished, "c1.json").stat().st_mode & 0o777 == 0o600
    folder.note(["c2"])
    assert folder.ids() == ["c2"]
    folder.note([])
    assert folder.ids() == []


def test_nothing_is_left_of_trouble_that_is_over(folder: Unfinished, settings: Settings) -> None:
    """Else each later run would look for it."""
    folder.note([])
    folder.note(["c1"])
    folder.note([])
    assert not Path(settings.unfinished).exists()


def test_a_result_is_kept_and_read_back(folder: Unfinished) -> None:
    folder.note(["c1", "c2"])
    folder.keep("c1", Result(3, "out"))
    folder.note(["c1", "c2"])
    assert folder.result("c1") == Result(3, "out")
    assert folder.result("c2") is None
    folder.note(["c2"])
    assert folder.result("c1") == Result(3, "out")
    folder.forget("c1")
    folder.forget("c3")
    assert folder.result("c1") is None


@pytest.mark.parametrize("content", ["", "{", "[]", "7"])
def test_a_result_that_is_torn_is_none(
    folder: Unfinished, settings: Settings, content: str
) -> None:
    folder.note(["c1"])
    Path(settings.unfinished, "c1.json").write_text(content)
    assert folder.result("c1") is None


def test_a_note_stays_until_there_is_a_result(
    settings: Settings, folder: Unfinished, deploy: Any, hook: Any, tmp_path: Path
) -> None:
    """The run may be cut, and nobody else would take its config up again."""
    folder.note(["c1"])
    hook(f"ls {settings.unfinished} > {tmp_path}/noted")
    assert deploy(script("x", group="sh")) == 0
    assert (tmp_path / "noted").read_text() == "c1.json\n"
    assert folder.ids() == []


class TestAResultThatWasKept:
    """Its run is over, and its config as it was run is noted."""

    ITEM = script("exit 7", inputs=inputs(**queue_of("q")))

    @pytest.fixture(autouse=True)
    def kept(self, settings: Settings, folder: Unfinished) -> None:
        Store(settings).begin(deployment.read(self.ITEM), Begun())
        folder.keep("c1", Result(3, "out"))

    def test_outlives_metadata_that_cannot_be_read(
        self, settings: Settings, far: FarEnd, deploy: Any
    ) -> None:
        Path(settings.config_file).write_text("{")
        loop.run(settings)
        assert deploy(self.ITEM) == 0
        assert Store(settings).result("c1") == Result(3, "out")
        assert [message["deploy_stdout"] for _, message in far.messages] == ["out"]

    @pytest.mark.parametrize("content", ["{", "[]"])
    def test_outlives_metadata_that_cannot_be_read_while_there_is_no_folder(
        self, settings: Settings, folder: Unfinished, content: str
    ) -> None:
        Path(settings.config_file).write_text(content)
        away = settings._replace(outbox="/dev/null/outbox")
        assert loop.run(away) == loop.UNFINISHED
        assert folder.result("c1") == Result(3, "out")

    def test_is_sent_although_its_config_is_not_asked_for_any_more(
        self, settings: Settings, far: FarEnd, deploy: Any, folder: Unfinished
    ) -> None:
        assert deploy() == 0
        assert [message["deploy_stdout"] for _, message in far.messages] == ["out"]
        assert Store(settings).result("c1") == Result(3, "out")
        assert folder.ids() == []

    def test_is_not_sent_when_heat_asks_for_a_newer_config(
        self, settings: Settings, far: FarEnd, deploy: Any
    ) -> None:
        newer = script("", config_id="c2", group="none", inputs=inputs(**queue_of("q")))
        assert deploy(newer) == 0
        assert far.acts == [("post", "c2")]
        assert Outbox(settings).abandoned_ids() == ["c1"]
        assert Store(settings).result("c1") == Result(3, "out")

    def test_is_forgotten_when_its_config_was_answered_otherwise(
        self, settings: Settings, far: FarEnd, deploy: Any, folder: Unfinished
    ) -> None:
        """By hand, for example."""
        Store(settings).end("c1", Result(0))
        assert deploy(self.ITEM) == 0
        assert folder.ids() == []
        assert far.acts == []

    def test_is_forgotten_with_the_note_of_its_run(
        self, settings: Settings, far: FarEnd, deploy: Any, folder: Unfinished
    ) -> None:
        Store(settings).config_path("c1").unlink()
        assert deploy() == 0
        assert folder.ids() == []
        assert far.acts == []


# From here on there are real file systems.


def trouble(begin: str, end: str) -> str:
    return f"""
mount("deployed"); mount("outbox")
tell(run("c0"))
{begin}
tell(run("c0", "c1", "c2"), unfinished(), *status(), sorted(results()))
tell(again(), unfinished())
{end}
tell(again(), unfinished(), *status(), results(), pending())
tell(again())
"""


@pytest.mark.parametrize("name", ["deployed", "outbox"])
def test_a_disk_that_becomes_read_only_leaves_configs_that_are_taken_up_again(
    disks: Disks, name: str
) -> None:
    first, in_trouble, still, after_it, in_the_end = disks.drive(
        trouble(f"read_only({name!r})", f"writable({name!r})")
    )
    assert first == 0
    status, unfinished, code, rows, ended = in_trouble
    assert (status, unfinished, code, ended) == (2, ["c1", "c2"], 2, ["c0"])
    for each, row in zip(unfinished, rows[1:], strict=True):
        assert row.startswith(f"{each}: unfinished, none: ")
        assert "on this server's disk" in row
    assert still == [2, ["c1", "c2"]]
    status, left, _, rows, results, pending = after_it
    assert (status, left) == (0, [])
    assert sorted(results) == ["c0", "c1", "c2"]
    assert results == pending
    assert {each["deploy_status_code"] for each in results.values()} == {0}
    assert "interrupted" not in str((results, rows))
    assert disks.count_runs() == 3
    assert in_the_end == 0


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("deployed", 1, "not run, because the disk is full"), ("outbox", 0, "")],
)
def test_a_disk_that_is_full_answers_one_config_and_leaves_the_others_to_be_taken_up_again(
    disks: Disks, name: str, code: int, said: str
) -> None:
    """There is room for one answer, in the place of the ballast."""
    first, in_trouble, still, after_it, in_the_end = disks.drive(
        trouble(f"fill({name!r})", f"empty({name!r})")
    )
    assert first == 0
    assert in_trouble[:3] == [2, ["c2"], 2]
    assert in_trouble[4] == ["c0", "c1"]
    assert in_trouble[3][2].startswith("c2: unfinished, none: ")
    assert "on this server's disk" in in_trouble[3][2]
    assert still == [2, ["c2"]]
    status, left, _, rows, results, pending = after_it
    assert (status, left) == (0, [])
    assert results == pending
    assert (results["c1"]["deploy_status_code"], results["c2"]["deploy_status_code"]) == (code, 0)
    assert said in results["c1"]["deploy_stderr"]
    assert "interrupted" not in str((results, rows))
    assert disks.count_runs() == (3 if name == "outbox" else 2)
    assert in_the_end == 0


@pytest.mark.parametrize("name", ["deployed", "outbox"])
def test_a_folder_that_cannot_be_made_is_said_and_taken_up_again(disks: Disks, name: str) -> None:
    steps = f"""
mount("."); (STATE / {name!r}).mkdir(); read_only(".")
tell(run("c1"), unfinished(), cli.main(["status"]))
writable(".")
tell(again(), unfinished(), results())
"""
    (status, unfinished, code), (later, left, results) = disks.drive(steps)
    assert (status, unfinished, code) == (2, ["c1"], 2)
    assert (later, left) == (0, [])
    assert results["c1"]["deploy_status_code"] == 0


@pytest.mark.parametrize("name", ["deployed", "outbox"])
def test_a_disk_that_becomes_read_only_during_the_hook_loses_no_result(
    disks: Disks, name: str
) -> None:
    folder = f"$HEAT_CONFIG_{name.upper()}"
    answer = """'{"deploy_stdout": "out", "deploy_status_code": 3}'"""
    disks.hook(f"echo run >> $RUNS; {REMOUNT} {folder}; echo {answer}")
    steps = f"""
mount("deployed"); mount("outbox")
tell(run("c1"), unfinished(), *status())
tell(deliver(), again(), unfinished())
writable({name!r})
tell(again(), unfinished(), *status(), results(), pending())
"""
    (status, unfinished, code, (row,)), in_between, after_it = disks.drive(steps)
    assert (status, unfinished, code) == (2, ["c1"], 2)
    assert "on this server's disk" in row
    assert in_between[1:] == [2, ["c1"]]
    status, left, code, (row,), results, pending = after_it
    assert (status, left, code) == (0, [], 2)
    assert row.startswith("c1: failed, pending: ")
    assert results["c1"] == pending["c1"]
    assert (results["c1"]["deploy_stdout"], results["c1"]["deploy_status_code"]) == ("out", 3)
    assert disks.count_runs() == 1


def test_what_was_kept_is_sent_once(disks: Disks, inbox: Inbox) -> None:
    disks.hook(f"echo run >> $RUNS; {REMOUNT} $HEAT_CONFIG_OUTBOX; echo the output")
    steps = f"""
mount("deployed"); mount("outbox")
tell(run("c1", to={inbox.url!r}))
writable("outbox")
tell(again(), status()[0], again(), pending())
"""
    first, later = disks.drive(steps)
    assert (first, later) == (2, [0, 0, 0, {}])
    (message,) = inbox.messages
    assert (message["deploy_stdout"], message["deploy_status_code"]) == ("the output\n", 0)
    assert disks.count_runs() == 1


def test_what_was_kept_of_an_earlier_run_is_not_the_answer_of_a_later_one(disks: Disks) -> None:
    """The second run is forced, and cut."""
    disks.hook(f"echo run >> $RUNS; {REMOUNT} $HEAT_CONFIG_OUTBOX; echo the first")
    steps = """
from heat_config import process

def cut(*_, **__):
    raise KeyboardInterrupt

mount("deployed"); mount("outbox")
tell(run("c1"))
writable("outbox")
uncut, process.run = process.run, cut
try:
    loop.run(GIVEN, force="c1")
except KeyboardInterrupt:
    process.run = uncut
tell(again(), results())
"""
    first, (later, results) = disks.drive(steps)
    assert (first, later) == (2, 0)
    assert "the run was interrupted" in results["c1"]["deploy_stderr"]
    assert "the first" not in results["c1"]["deploy_stdout"]
    assert disks.count_runs() == 1


def test_a_result_for_which_there_is_no_room_at_all_is_kept_in_memory(disks: Disks) -> None:
    """Its script has filled the disk, the ballast's place, too."""
    disks.hook(
        'grep -q \'"id": "c1"\' && cat /dev/zero > $HEAT_CONFIG_OUTBOX/by-the-script 2>/dev/null\n'
        "rm -f $HEAT_CONFIG_OUTBOX/.ballast\n"
        "[ -e $HEAT_CONFIG_OUTBOX/by-the-script ] && cat /dev/zero > $HEAT_CONFIG_OUTBOX/rest\n"
        f"{COUNT}"
    )
    steps = """
mount("deployed"); mount("outbox")
tell(run("c1", "c2"), unfinished())
(STATE / "outbox/by-the-script").unlink()
tell(again(), unfinished(), results())
"""
    first, (later, left, results) = disks.drive(steps)
    assert first == [2, ["c1", "c2"]]
    assert (later, left) == (0, [])
    assert {each["deploy_status_code"] for each in results.values()} == {0}
    assert disks.count_runs() == 2
