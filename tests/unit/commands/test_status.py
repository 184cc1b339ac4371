# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli, deployment, waiting
from heat_config.commands import status
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import answering
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished
from heat_config.settings import Settings
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

    def ends(self, item: dict[str, Any], status_code: int | str = 0) -> None:
        self.begins(item)
        self.store.end(item["id"], Result(status_code))

    def has(self, item: dict[str, Any], stage: Stage = Stage.NEW, problem: str = "") -> Entry:
        """A result is pending."""
        address = {"deploy_queue_id": "q"}
        entry = Entry(item["id"], address, {"deploy_status_code": 0}, stage, problem=problem)
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
    assert {key: row[key] for key in ("name", "id", "group", "action", "state", "signal")} == {
        "name": "name-of-c1",
        "id": "c1",
        "group": "script",
        "action": "CREATE",
        "state": "done",
        "signal": "delivered",
    }
    assert row["ended"] - row["begun"] == row["duration"] >= 0


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

    def test_what_a_process_that_has_ended_has_noted_is_void(self, settings: Settings) -> None:
        with subprocess.Popen(["true"]) as ended:
            pass
        note = Path(settings.config_file).parent / "newer.json"
        note.write_text(json.dumps([time.time(), ["zaqar"], ended.pid]))
        assert status.newer(settings) == ""
        note.write_text("torn")
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
