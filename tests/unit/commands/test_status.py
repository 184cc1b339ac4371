# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config import applying, cli, deployment, waiting
from heat_config.commands import display, status
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import answering, runlog
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished
from heat_config.settings import Settings, load
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script

QUEUE = [{"name": "deploy_queue_id", "value": "q"}, {"name": "deploy_action", "value": "CREATE"}]


class Server:
    """A server that has come so far with its deployments."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store, self.outbox = Store(settings), Outbox(settings)

    def is_asked(self, *items: Any) -> None:
        Path(self.settings.config_file).write_text(json.dumps(items))

    def begins(self, item: dict[str, Any]) -> None:
        self.store.begin(deployment.read(item), Begun())

    def ends(self, item: dict[str, Any], status_code: int | str = 0, stderr: str = "") -> None:
        self.begins(item)
        self.store.end(item["id"], Result(status_code, stderr=stderr))

    def writes(self, item: dict[str, Any], *lines: str) -> None:
        """Its hook has written these lines."""
        log = runlog.RunLog(runlog.path_of(item["id"], self.settings), 1 << 20)
        for line in lines:
            log.write(line)
        log.close()

    def has(
        self,
        item: dict[str, Any],
        stage: Stage = Stage.NEW,
        problem: str = "",
        due_in: float | None = None,
    ) -> Entry:
        """A result is pending."""
        address = {"deploy_queue_id": "q"}
        due = 0.0 if due_in is None else time.time() + due_in
        message = {"deploy_status_code": 0}
        entry = Entry(item["id"], address, message, stage, problem=problem, due=due)
        with self.outbox.locked() as box:
            box.put(entry)
        return entry

    def row(self) -> status.Row:
        (found,) = status.rows(self.settings)
        return found


@pytest.fixture
def server(settings: Settings) -> Server:
    return Server(settings)


@pytest.fixture
def running() -> Iterator[None]:
    """Another process that holds the lock of a run."""
    code = "from heat_config import settings; from heat_config.run import store; import time\n"
    code += "with store.Store(settings.load()).locked(): print(flush=True); time.sleep(600)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment
    ) as other:
        assert other.stdout
        try:
            assert other.stdout.readline()
            yield
        finally:
            other.kill()


def states(server: Server) -> tuple[str, str, int]:
    row = server.row()
    return row.state, row.signal, status.exit_status([row])


def test_nothing_asked_is_nothing_to_wait_for(server: Server) -> None:
    server.is_asked()
    assert status.rows(server.settings) == []
    assert status.exit_status([]) == 0


@pytest.mark.parametrize(
    ("content", "told"), [(None, "is not there"), ("{", "is not valid JSON"), ("3", "list")]
)
def test_nobody_knows_how_it_went_before_heat_has_asked(
    server: Server, content: str | None, told: str
) -> None:
    if content is not None:
        Path(server.settings.config_file).write_text(content)
    with pytest.raises(status.UnknownError, match=told):
        status.wait(server.settings, timeout=0)


def test_a_damaged_entry_is_pending(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    Path(server.settings.outbox, f"{item['id']}.json").write_text("")
    assert states(server) == ("done", "pending", 2)


def test_what_has_not_begun_is_pending(server: Server) -> None:
    server.is_asked(script("x", inputs=QUEUE))
    assert states(server) == ("pending", "none", 2)


@pytest.mark.usefixtures("running")
def test_what_goes_on_is_running(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.begins(item)
    assert states(server) == ("running", "none", 2)
    duration = server.row().duration
    assert duration is not None and duration >= 0


@pytest.mark.usefixtures("running")
def test_what_is_to_be_run_again_is_pending(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    server.store.config_path("c1").unlink()
    row = server.row()
    assert (row.state, row.signal, row.ended) == ("pending", "none", None)


def test_what_waits_for_another_run_is_pending(server: Server) -> None:
    server.is_asked(script("x", inputs=QUEUE))
    assert states(server) == ("pending", "none", 2)


def test_what_was_cut_is_interrupted(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.begins(item)
    # The next run will say so to Heat.
    assert states(server) == ("interrupted", "none", 2)
    assert server.row().duration is None
    server.store.end(
        item["id"], answering.after_cut(deployment.read(item), Begun(), server.settings)
    )
    assert states(server) == ("interrupted", "delivered", 1)


@pytest.mark.parametrize(
    ("status_code", "state", "code"),
    [(0, "done", 0), ("0", "done", 0), ("", "done", 0), (3, "failed", 1), ("x", "failed", 1)],
)
def test_what_has_ended_has_gone_well_or_failed(
    server: Server, status_code: int | str, state: str, code: int
) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item, status_code)
    assert states(server) == (state, "delivered", code)


def test_where_nobody_waits_there_is_no_signal(server: Server) -> None:
    item = script("x")
    server.is_asked(item)
    server.ends(item)
    assert states(server) == ("done", "none", 0)


def test_what_is_pending_is_not_over(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item, 3)
    server.has(item, problem="Zaqar is away")
    assert states(server) == ("failed", "pending", 2)
    assert server.row().problem == "Zaqar is away"


@pytest.mark.parametrize("stage", [each for each in Stage if each.is_delivered])
def test_what_was_accepted_is_delivered_although_something_is_left_to_do(
    server: Server, stage: Stage
) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    server.has(item, stage)
    assert states(server) == ("done", "delivered", 0)


@pytest.mark.parametrize("stage", [each for each in Stage if each.is_unconfirmed])
def test_what_may_have_arrived_is_unconfirmed(server: Server, stage: Stage) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    server.has(item, stage)
    assert states(server) == ("done", "unconfirmed", 2)


SIGNED = [{"name": "deploy_signal_id", "value": "zaqar+https://host/v2/queues/q/messages?"}]


@pytest.mark.parametrize(
    ("stage", "signal"), [(Stage.SIGNED, "pending"), (Stage.WAITING_FOR_HEAT, "unconfirmed")]
)
def test_what_heat_has_not_acknowledged_says_why(server: Server, stage: Stage, signal: str) -> None:
    item = script("x", inputs=SIGNED)
    server.is_asked(item)
    server.ends(item)
    server.has(item, stage, "the signed address opens nothing there")
    assert states(server) == ("done", signal, 2)
    assert server.row().problem == "the signed address opens nothing there"


def test_what_a_newer_agent_has_written_is_pending(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    Path(server.settings.outbox, "c1.json").write_text('{"version": 99}')
    assert states(server) == ("done", "pending", 2)
    assert "left to the agent that wrote its entry" in server.row().problem


def test_what_this_servers_disk_keeps_from_being_done_says_so(server: Server) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    Unfinished(server.settings).note(["c1"])
    assert states(server) == ("unfinished", "none", 2)
    assert "on this server's disk" in server.row().problem
    server.begins(item)
    assert states(server) == ("unfinished", "none", 2)
    assert "journalctl" in server.row().problem


@pytest.mark.parametrize(
    ("stage", "signal", "code"),
    [(Stage.ABANDONED, "abandoned", 1), (Stage.SUPERSEDED, "superseded", 0)],
)
def test_what_was_put_aside_is_a_failure_unless_heat_does_not_want_it_any_more(
    server: Server, stage: Stage, signal: str, code: int
) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    entry = server.has(item, stage, "the stack is gone")
    with server.outbox.locked() as box:
        box.put_aside(entry)
    assert states(server) == ("done", signal, code)
    assert server.row().problem == "the stack is gone"


def test_folders_that_cannot_be_made_leave_nothing_to_be_known(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.is_asked(script("x"))
    Path(server.settings.outbox).rmdir()
    Path(server.settings.outbox).touch()
    assert cli.main(["status"]) == 2
    assert server.settings.outbox in capsys.readouterr().err


def test_an_empty_note_means_done_long_ago(server: Server) -> None:
    server.is_asked(script("x"))
    Path(server.settings.deployed, "c1.json").touch()
    assert states(server) == ("done", "none", 0)


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff"])
def test_a_result_that_cannot_be_read_is_a_failure(server: Server, content: str) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    server.store.result_path("c1").write_text(content, encoding="latin-1")
    assert states(server) == ("failed", "delivered", 1)


def test_unfinished_goes_before_failed(server: Server) -> None:
    failed, pending = script("x"), script("x", config_id="c2")
    server.is_asked(failed, pending)
    server.ends(failed, 1)
    assert status.exit_status(status.rows(server.settings)) == 2


def test_a_malformed_deployment_has_a_row(server: Server) -> None:
    server.is_asked({"name": "no id"}, 7, script("x"))
    assert [row.state for row in status.rows(server.settings)] == ["pending"] * 3


def test_the_table_is_for_people(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item, script("x", config_id="longer-id"))
    server.ends(item)
    server.has(item, problem="Zaqar is away")
    assert cli.main(["status"]) == 2
    head, first, second, problem = capsys.readouterr().out.splitlines()
    assert head.split() == [
        *("NAME", "STATE", "SIGNAL", "ACTION", "GROUP", "BEGUN", "DURATION", "ID")
    ]
    assert first.split()[:5] == ["name-of-c1", "done", "pending", "CREATE", "script"]
    assert second.split() == [
        *("name-of-longer-id", "pending", "none", "-", "script", "-", "-", "longer-id")
    ]
    assert head.index("STATE") == first.index("done") == second.index("pending")
    assert problem == "name-of-c1: pending: Zaqar is away"


def test_json_is_for_programs(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)
    server.ends(item)
    assert cli.main(["status", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    times = {key: row.pop(key) for key in ("begun", "ended", "duration")}
    assert times["ended"] - times["begun"] == times["duration"] >= 0
    assert row == {
        "name": "name-of-c1",
        "id": "c1",
        "group": "script",
        "action": "CREATE",
        "state": "done",
        "signal": "delivered",
        "problem": "",
        "next_try": None,
        "status_code": 0,
        "reason": "",
        "time_limit": None,
        "time_left": None,
        "last_line": "",
        "asked": True,
    }


def test_the_documents_list_each_key_of_the_format_for_programs_and_each_word(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program relies on them: a key may be added, and none ever changes its name or goes."""
    server.is_asked(script("x"))
    cli.main(["status", "--format", "json"])
    (row,) = json.loads(capsys.readouterr().out)
    page = (REPOSITORY / "docs/watching.md").read_text()
    section = page.partition("## Status, for programs")[2].partition("\n## ")[0]
    documented = dict(re.findall(r"(?m)^\| `([a-z_]+)` \| (.*) \|$", section))
    assert documented.keys() == row.keys()
    assert set(re.findall(r"`([a-z]+)`", documented["state"])) == set(display.STATES)
    assert set(re.findall(r"`([a-z]+)`", documented["signal"])) == {
        *("none", "pending", "unconfirmed", "delivered", "abandoned", "superseded")
    }


def test_waiting_ends_when_nothing_is_unfinished(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = script("x", inputs=QUEUE)
    server.is_asked(item)

    def ends() -> None:
        server.has(item)
        server.ends(item)

    def is_accepted() -> None:
        with server.outbox.locked() as box:
            box.settle("c1")

    steps = iter([ends, is_accepted])
    monkeypatch.setattr(time, "sleep", lambda _: next(steps)())
    assert cli.main(["status", "--wait"]) == 0
    assert next(steps, None) is None


@pytest.mark.parametrize("timeout", ["0", "0.01"])
def test_waiting_has_an_end(server: Server, timeout: str) -> None:
    server.is_asked(script("x"))
    assert cli.main(["status", "--wait", "--timeout", timeout]) == 2


def test_what_is_over_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    item = script("x")
    server.is_asked(item)
    server.ends(item, 3)
    monkeypatch.setattr(time, "sleep", None)
    assert cli.main(["status", "--wait"]) == 1


def test_a_problem_that_an_older_agent_has_noted_holds_no_secret(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    item = script("x", inputs=[*QUEUE, {"name": "deploy_password", "value": "hunter/22"}])
    server.is_asked(item)
    server.ends(item)
    server.has(item, problem="http://h/?password=hunter%2F22 and aHVudGVyLzIy")
    for arguments in (["status"], ["status", "--format", "json"]):
        cli.main(arguments)
        assert "http://h/?password=*** and ***" in capsys.readouterr().out


def test_a_table_holds_no_secret(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = [*QUEUE, {"name": "deploy_password", "value": "hunter22"}]
    server.is_asked(script("x", inputs=inputs))
    for arguments in (["status"], ["status", "--format", "json"]):
        cli.main(arguments)
        assert "hunter22" not in capsys.readouterr().out


class TestProgress:
    """What goes on at this moment, and what is still to come."""

    @pytest.mark.usefixtures("running")
    def test_what_runs_says_since_when_how_long_it_may_and_what_it_wrote_last(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        item = script("x", options={"timeout": 3000})
        server.is_asked(item)
        server.begins(item)
        server.writes(item, "first", "Get:1 10%\rGet:1 20%", "\x1b[0m", " ")
        row = server.row()
        assert (row.time_limit, row.last_line) == (3000, "\x1b[0m")
        assert row.duration is not None and row.time_left is not None
        assert 0 < row.time_left <= 3000 - row.duration + 1
        server.writes(item, "first", "Get:1 10%\rGet:1 20%", " ")
        assert cli.main(["status"]) == 2
        last = capsys.readouterr().out.splitlines()[-1]
        assert re.fullmatch(
            r"name-of-c1: running for \d+ s, \d+ min of its time are left: Get:1 20%", last
        )

    @pytest.mark.usefixtures("running")
    def test_the_log_of_the_run_before_a_forced_one_is_not_its_own(self, server: Server) -> None:
        item = script("x")
        server.is_asked(item)
        server.writes(item, "of before")
        long_ago = time.time() - 60
        os.utime(runlog.path_of("c1", server.settings), (long_ago, long_ago))
        server.begins(item)
        assert server.row().last_line == ""

    @pytest.mark.usefixtures("running")
    def test_time_that_is_over_is_not_below_nothing(self, server: Server) -> None:
        item = script("x", options={"timeout": 5})
        server.is_asked(item)
        server.begins(item)
        long_ago = time.time() - 60
        os.utime(server.store.config_path("c1"), (long_ago, long_ago))
        assert server.row().time_left == 0

    @pytest.mark.usefixtures("running")
    def test_a_last_line_holds_no_secret(self, server: Server) -> None:
        item = script("x", inputs=[{"name": "deploy_password", "value": "hunter22"}])
        server.is_asked(item)
        server.begins(item)
        server.writes(item, "it is hunter22")
        assert server.row().last_line == "it is ***"

    def test_what_has_failed_says_why(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        item = script("x")
        server.is_asked(item)
        server.ends(item, 3, stderr=f"the first\n\n{'x' * 300}\n the last\n")
        row = server.row()
        assert (row.status_code, row.reason.splitlines()[0]) == (3, "the first")
        cli.main(["status"])
        note = capsys.readouterr().out.splitlines()[-1]
        assert note.startswith("name-of-c1: failed: status code 3: the first / xxx")
        assert note.endswith("xxx / the last")
        assert len(note) < 260

    def test_what_is_not_delivered_says_when_it_is_tried_again(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HEAT_CONFIG_FIRST_WAIT", "0.5")
        server = Server(load())
        item = script("x", inputs=QUEUE)
        server.is_asked(item)
        server.ends(item)
        due = server.has(item, problem="Zaqar is away", due_in=90).due
        assert server.row().next_try == due
        cli.main(["status"])
        note = capsys.readouterr().out.splitlines()[-1]
        told = "name-of-c1: pending: Zaqar is away; the next try is in "
        assert re.fullmatch(re.escape(told) + r"\d+ s", note)
        server.has(item, due_in=1e9)  # by a clock that was wrong: it is due
        assert server.row().next_try is None
        server.has(item, due_in=-1)
        assert server.row().next_try is None

    @pytest.mark.parametrize(
        ("seconds", "said"),
        [(0.4, "0 s"), (119, "119 s"), (121, "2 min"), (7100, "118 min"), (86_400, "24 h")],
    )
    def test_a_time_is_said_in_what_people_think_in(self, seconds: float, said: str) -> None:
        assert display.span(seconds) == said


class TestApplying:
    """os-refresh-config, which runs before and after the configs do."""

    TOLD = re.compile(r"os-refresh-config has run for \d+ s: journalctl -u os-collect-config .*")

    def test_it_is_said_while_no_config_runs(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.is_asked()
        with applying.noted(server.settings, "os-refresh-config"):
            assert cli.main(["status"]) == 0
            assert self.TOLD.fullmatch(capsys.readouterr().err.strip())
            cli.main(["status", "--short"])
            first, second = capsys.readouterr().out.splitlines()
            assert first == "heat-config: no deployments"
            assert self.TOLD.fullmatch(second.strip())
        cli.main(["status"])
        assert capsys.readouterr().err == ""

    def test_it_is_said_before_anything_is_known(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with applying.noted(server.settings, "os-refresh-config"):
            cli.main(["status", "--short"])
        first, second = capsys.readouterr().out.splitlines()
        assert "nothing has come from Heat" in first
        assert self.TOLD.fullmatch(second.strip())

    @pytest.mark.usefixtures("running")
    def test_a_config_that_runs_says_more(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        item = script("x")
        server.is_asked(item)
        server.begins(item)
        with applying.noted(server.settings, "os-refresh-config"):
            cli.main(["status"])
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("content", ['[0, "x", 4194305]', "torn", "[]"])
    def test_what_a_process_that_has_ended_has_noted_is_void(
        self, settings: Settings, content: str
    ) -> None:
        (Path(settings.config_file).parent / "applying.json").write_text(content)
        assert applying.read(settings) is None

    def test_a_disk_that_cannot_be_written_stops_nothing(self, settings: Settings) -> None:
        place = Path(settings.config_file).parent / "applying.json"
        place.mkdir()
        with applying.noted(settings, "x"):
            assert applying.read(settings) is None


class TestAll:
    def test_what_ran_before_is_shown_and_counts_for_nothing(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        now, failed = script("x", config_id="now"), script("x", config_id="failed")
        server.ends(failed, 1)
        os.utime(server.store.config_path("failed"), (1, 1))
        server.begins(script("x", config_id="old"))
        server.store.strip("old")
        Path(server.settings.deployed, "long-ago.json").touch()
        os.utime(server.store.config_path("long-ago"), (0, 0))
        server.ends(now)
        server.is_asked(now)
        assert cli.main(["status", "--format", "json"]) == 0
        assert [row["id"] for row in json.loads(capsys.readouterr().out)] == ["now"]
        assert cli.main(["status", "--all", "--format", "json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert [(row["id"], row["state"], row["asked"]) for row in rows] == [
            ("long-ago", "done", False),
            ("failed", "failed", False),
            ("old", "interrupted", False),
            ("now", "done", True),
        ]
        assert (rows[0]["name"], rows[0]["group"], rows[1]["group"]) == ("long-ago", "", "script")
        cli.main(["status", "--all"])
        assert capsys.readouterr().out.splitlines()[1].split()[:5] == [
            *("long-ago", "done", "none", "-", "-")
        ]

    @pytest.mark.usefixtures("running")
    def test_a_note_that_is_torn_is_a_row(self, server: Server) -> None:
        server.is_asked()
        Path(server.settings.deployed, "c1.json").write_text("torn")
        (row,) = status.former(server.settings)
        assert (row.id, row.state, row.time_limit) == ("c1", "running", None)

    def test_it_is_shown_before_heat_has_asked(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.ends(script("x"))
        assert cli.main(["status", "--all", "--format", "json"]) == status.UNFINISHED
        shown = capsys.readouterr()
        assert [row["id"] for row in json.loads(shown.out)] == ["c1"]
        assert "is not there" in shown.err

    def test_folders_that_cannot_be_read_are_said(
        self, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.is_asked()

        def fails(_: Store) -> list[str]:
            raise PermissionError("not for you")

        monkeypatch.setattr(Store, "ids", fails)
        assert cli.main(["status", "--all"]) == status.UNFINISHED
        assert "what this server has done is not known: not for you" in capsys.readouterr().err


class TestShort:
    def test_all_well_is_a_line(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        items = script("x", inputs=QUEUE), script("x", config_id="c2")
        server.is_asked(*items)
        for item in items:
            server.ends(item)
        assert cli.main(["status", "--short"]) == 0
        assert capsys.readouterr().out == "heat-config: 2 deployments: 2 done\n"

    @pytest.mark.parametrize(
        ("items", "said"), [([], "no deployments"), ([script("x")], "1 deployment: 1 pending")]
    )
    def test_none_and_one_are_said_as_people_do(
        self,
        server: Server,
        items: list[dict[str, Any]],
        said: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        server.is_asked(*items)
        cli.main(["status", "--short"])
        assert capsys.readouterr().out == f"heat-config: {said}\n"

    def test_nothing_known_is_a_line(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["status", "--short"]) == status.UNFINISHED
        shown = capsys.readouterr()
        assert shown.out.count("\n") == 1 and "nothing has come from Heat" in shown.out
        assert server and shown.err == ""

    def test_what_needs_somebody_is_named_first_and_not_without_end(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pending = [script("x", config_id=f"p{n}", inputs=QUEUE) for n in range(6)]
        for item in pending:
            server.ends(item)
            server.has(item, problem="Zaqar is away")
        failed = script("x", config_id="f")
        server.ends(failed, 4, "why")
        server.is_asked(*pending, failed)
        waiting.note(server.settings, ["zaqar"])
        assert cli.main(["status", "--short"]) == 2
        first, second, *others, more, newer = capsys.readouterr().out.splitlines()
        assert first == "heat-config: 7 deployments: 1 failed, 6 done, 6 not delivered"
        assert second == "  name-of-f: failed: status code 4: why"
        assert others == [f"  name-of-p{n}: pending: Zaqar is away" for n in range(4)]
        assert more == "  and more: heat-config status shows 7"
        assert newer.startswith("  newer metadata (zaqar)")


class TestNewer:
    def test_what_waits_for_the_end_of_a_run_is_shown_and_is_not_over(
        self, server: Server, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        item = script("x")
        server.is_asked(item)
        server.ends(item)
        assert cli.main(["status"]) == status.DELIVERED
        assert capsys.readouterr().err == ""
        waiting.note(settings, ["zaqar"])
        assert cli.main(["status", "--wait", "--timeout", "0"]) == status.UNFINISHED
        shown = capsys.readouterr()
        assert "done" in shown.out
        assert "newer metadata (zaqar) have come 0 s ago, and wait until what runs" in shown.err
        waiting.clear(settings)
        assert cli.main(["status", "--format", "json"]) == status.DELIVERED

    def test_what_only_the_newer_ones_have_is_a_row_of_its_own(
        self, server: Server, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        item = script("x")
        server.is_asked(item)
        server.ends(item)
        asked = {"c1": ("name-of-c1", "script"), "c2": ("next", "ansible")}
        waiting.note(settings, ["zaqar"], asked)
        first, second = status.rows(settings)
        assert (first.state, second[:6]) == (
            "done",
            ("next", "c2", "ansible", "", "pending", "none"),
        )
        assert re.fullmatch(
            r"collected \d+ s ago, and waits until what runs has ended", second.problem
        )
        assert cli.main(["status"]) == status.UNFINISHED
        assert "next: pending: collected 0 s ago" in capsys.readouterr().out

    def test_what_a_process_that_has_ended_has_noted_is_void(self, settings: Settings) -> None:
        with subprocess.Popen(["true"]) as ended:
            pass
        note = Path(settings.config_file).parent / "newer.json"
        note.write_text(json.dumps([time.time(), ["zaqar"], ended.pid]))
        assert status.newer(settings) == ""
        for text in ("torn", f'[0, ["zaqar"], {os.getpid()}, ["of an agent of before"]]'):
            note.write_text(text)
            assert status.newer(settings) == ""


@pytest.mark.parametrize(
    ("source", "expected"), [("heat_local", status.UNFINISHED), ("zaqar", status.DELIVERED)]
)
def test_the_list_that_a_server_was_booted_with_is_not_heats(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, expected: int
) -> None:
    server.is_asked()
    given = tmp_path / f"{source}.json"
    given.write_text('{"deployments": []}')
    monkeypatch.setenv("OS_CONFIG_FILES", str(given))
    assert cli.main(["status"]) == expected
