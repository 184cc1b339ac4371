# SPDX-License-Identifier: Apache-2.0
"""A result that is delivered by hand, or by a program in the agent's place."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli, deployment, files
from heat_config.cloud.errors import Outcome
from heat_config.commands import status
from heat_config.delivery import policy
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import loop
from heat_config.run.store import Begun, Store
from heat_config.settings import Settings
from heat_config.signals.program import DELIVERING
from tests.support.clock import Clock
from tests.support.deployments import inputs, script
from tests.support.far_end import FarEnd, queue_of, signed_of

GOOD = json.dumps(Result(0, "by hand").as_dict()).encode()
ITEM = script("x", inputs=inputs(**queue_of("c1")))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """As on a server; waiting takes no time."""
    monkeypatch.setenv("HEAT_CONFIG_FIRST_WAIT", "0.5")
    made = Clock()
    made.take_place(monkeypatch)
    return made


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    made = FarEnd()
    made.take_place(monkeypatch)
    return made


@pytest.fixture
def notify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """What the program answers to a result on its stdin for a config."""

    def run(content: bytes = GOOD, item: dict[str, Any] = ITEM) -> int:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(item))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return cli.notify([str(path)])

    return run


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def outbox(settings: Settings) -> Outbox:
    return Outbox(settings)


def ends(store: Store, *, forced: bool = False) -> None:
    store.begin(deployment.read(ITEM), Begun(forced))
    store.end("c1", Result(3, "by the agent"))


def test_without_anyone_waiting_is_fine(notify: Callable[..., int], far: FarEnd) -> None:
    assert notify(item=script("x", inputs=inputs(deploy_action="CREATE"))) == 0
    assert far.acts == []


def test_says_when_a_result_can_not_be_accepted(
    notify: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert notify(item=script("x", inputs=inputs(deploy_queue_id="q"))) == 1
    error = capsys.readouterr().err
    assert "no usable input deploy_auth_url, deploy_user_id, deploy_password" in error


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"7", b"[" * 9999])
def test_never_sends_what_heat_would_take_for_a_success(
    notify: Callable[..., int], far: FarEnd, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notify(content) == 2
    assert "Nothing was sent" in capsys.readouterr().err
    assert far.acts == []


def test_names_a_config_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD)))
    assert cli.main(["notify", "/nonexistent/config.json"]) == 2
    assert "/nonexistent/config.json" in capsys.readouterr().err


def test_posts_a_result_to_whom_nobody_has_answered_yet(
    notify: Callable[..., int], far: FarEnd, outbox: Outbox
) -> None:
    assert notify() == 0
    assert far.acts == [("post", "c1")]
    assert outbox.ids() == outbox.abandoned_ids() == []


def test_masks_what_the_result_repeats_of_the_credentials(
    notify: Callable[..., int], far: FarEnd, capsys: pytest.CaptureFixture[str]
) -> None:
    item = script("x", inputs=inputs(**queue_of("c1"), deploy_password="hunter22"))
    said = json.dumps(Result(0, "the password is hunter22").as_dict()).encode()
    assert notify(said, item) == 0
    assert far.messages[0][1]["deploy_stdout"] == "the password is ***"
    assert "hunter22" not in capsys.readouterr().err


def test_keeps_what_is_not_accepted_and_the_timer_tries_again(
    notify: Callable[..., int], far: FarEnd, outbox: Outbox, settings: Settings, clock: Clock
) -> None:
    far.fails("post", Outcome.UNREACHABLE)
    assert notify() == 1
    assert outbox.ids() == ["c1"]
    far.errors.clear()
    clock.now += 600
    assert loop.deliver(settings, due_only=True) == 0
    assert far.messages[0][1]["deploy_stdout"] == "by hand"


def test_only_notifies_heat_when_it_may_have_an_answer_already(
    notify: Callable[..., int], far: FarEnd, store: Store
) -> None:
    """What would be put on the queue of a COMPLETE deployment is the next update's answer."""
    ends(store)
    assert notify() == 0
    assert [name for name, _ in far.acts] == ["notify", "clean"]
    assert far.messages == []


def test_posts_the_result_of_a_run_of_heat_agents(
    notify: Callable[..., int], far: FarEnd, store: Store
) -> None:
    """Their 55-heat-config notes the result, and then starts this program to send it."""
    store.config_path("c1").write_text(json.dumps(ITEM))
    store.result_path("c1").write_text(GOOD.decode())
    assert notify() == 0
    assert far.acts == [("post", "c1")]


def test_after_a_result_was_abandoned_it_counts_as_delivered(
    notify: Callable[..., int], far: FarEnd, store: Store, outbox: Outbox, settings: Settings
) -> None:
    Path(settings.config_file).write_text(json.dumps([ITEM]))
    ends(store)
    lost = Entry("c1", queue_of("c1"), Result(3).as_dict(), Stage.ABANDONED, problem="refused")
    with outbox.locked() as box:
        box.put_aside(lost)
    assert status.rows(settings)[0].signal == "abandoned"
    far.fails("notify", Outcome.UNREACHABLE)
    assert notify() == 1
    assert status.rows(settings)[0].signal == "pending"
    far.errors.clear()
    assert notify() == 0
    (row,) = status.rows(settings)
    assert (row.signal, row.problem) == ("delivered", "")
    assert far.messages == []
    assert [message["deploy_stdout"] for _, message in far.notified] == ["by hand"]


@pytest.mark.parametrize("stage", [Stage.MAYBE_QUEUED, Stage.MAYBE_NOTIFIED, Stage.FORCED])
def test_goes_on_from_where_a_pending_result_stands(
    notify: Callable[..., int], far: FarEnd, store: Store, outbox: Outbox, stage: Stage
) -> None:
    ends(store)
    with outbox.locked() as box:
        box.put(Entry("c1", queue_of("c1"), Result(3).as_dict(), stage))
    assert notify() == 0
    assert ("post", "c1") not in far.acts
    assert [message["deploy_stdout"] for _, message in far.notified] == ["by hand"]


def test_is_delivered_although_a_copy_is_still_to_be_removed(
    notify: Callable[..., int], far: FarEnd, store: Store, outbox: Outbox
) -> None:
    ends(store)
    far.fails("clean", Outcome.UNREACHABLE)
    assert notify() == 0
    entry = outbox.get("c1")
    assert entry and entry.stage is Stage.CLEANING


def test_is_accepted_when_it_is_where_heat_will_find_and_acknowledge_it(
    notify: Callable[..., int], far: FarEnd, store: Store, outbox: Outbox
) -> None:
    ends(store)
    assert notify(item=script("x", inputs=inputs(**signed_of("c1")))) == 0
    assert far.acts == [("post", "c1")]
    entry = outbox.get("c1")
    assert entry and entry.stage is Stage.WAITING_FOR_HEAT


def test_of_what_was_cut_is_its_result(
    notify: Callable[..., int], far: FarEnd, store: Store, settings: Settings
) -> None:
    """Else the next run would answer a second time, that it was interrupted."""
    store.begin(deployment.read(ITEM), Begun())
    Path(settings.config_file).write_text(json.dumps([ITEM]))
    assert notify() == 0
    assert store.result("c1") == Result(0, "by hand")
    assert loop.run(settings) == 0
    assert far.acts == [("post", "c1")]


def test_goes_by_what_is_there_when_the_outbox_is_its_own(
    notify: Callable[..., int],
    far: FarEnd,
    store: Store,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run, which has held it until now, has sent its result meanwhile."""
    locked = files.locked

    @contextmanager
    def after_the_run(folder: str) -> Iterator[None]:
        ends(store)
        with locked(folder):
            yield

    assert outbox.ids() == []
    monkeypatch.setattr(files, "locked", after_the_run)
    assert notify() == 0
    assert far.messages == []


def test_many_times_in_a_moment_abandons_nothing(
    notify: Callable[..., int], far: FarEnd, outbox: Outbox
) -> None:
    item = script("x", inputs=inputs(deploy_signal_id="http://h/x", deploy_signal_verb="PUT"))
    far.fails("post", Outcome.REFUSED)
    for _ in range(2 * policy.REFUSALS):
        assert notify(item=item) == 1
    assert (outbox.ids(), outbox.abandoned_ids()) == (["c1"], [])


def test_does_not_hurry_what_looks_for_a_copy_that_is_still_on_its_way(
    notify: Callable[..., int], far: FarEnd, store: Store, outbox: Outbox, clock: Clock
) -> None:
    ends(store)
    entry = Entry("c1", queue_of("c1"), Result(3).as_dict(), Stage.CLEANING_AGAIN)
    with outbox.locked() as box:
        box.put(entry._replace(wait=60.0, due=clock.now + 60))
    assert notify() == 0
    assert far.acts == []
    assert outbox.ids() == ["c1"]


def test_looks_for_what_a_program_may_have_sent_to_the_queue(
    notify: Callable[..., int], far: FarEnd, store: Store, outbox: Outbox
) -> None:
    ends(store)
    with outbox.locked() as box:
        box.put(Entry("c1", queue_of("c1"), Result(3).as_dict(), Stage.REPEATABLE))
    assert notify() == 0
    assert [name for name, _ in far.acts] == ["look", "notify", "clean"]


def test_what_was_abandoned_is_so_until_another_result_is_kept(
    notify: Callable[..., int],
    store: Store,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends(store)
    with outbox.locked() as box:
        box.put_aside(Entry("c1", queue_of("c1"), Result(3).as_dict(), Stage.ABANDONED))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("heat_config.files.write_durably", full)
    assert notify() == 1
    assert outbox.abandoned_ids() == ["c1"]


def test_leaves_what_a_newer_agent_has_written(
    notify: Callable[..., int],
    far: FarEnd,
    settings: Settings,
    outbox: Outbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outbox.ids() == []
    path = Path(settings.outbox, "c1.json")
    path.write_text('{"version": 99}')
    assert notify() == 1
    assert path.read_text() == '{"version": 99}'
    assert far.acts == []
    assert "of version 99" in capsys.readouterr().err


def test_sends_nothing_that_cannot_be_kept(
    notify: Callable[..., int],
    far: FarEnd,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("heat_config.files.write_durably", full)
    assert notify() == 1
    assert "cannot be kept, and was not sent" in capsys.readouterr().err
    assert far.acts == []


class TestStartedByTheAgent:
    """As HEAT_CONFIG_NOTIFY, while the agent holds the outbox and keeps the result."""

    @pytest.fixture(autouse=True)
    def delivering(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(DELIVERING, "1")

    @pytest.fixture(autouse=True)
    def held(self, outbox: Outbox) -> Any:
        with outbox.locked():
            yield

    @pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 1)])
    def test_it_does_not_wait_for_an_acknowledgement(
        self, notify: Callable[..., int], far: FarEnd, *, fails: bool, code: int
    ) -> None:
        if fails:
            far.fails("post", Outcome.REFUSED)
        assert notify(item=script("x", inputs=inputs(**signed_of("c1")))) == code
        assert far.acts == [("post", "c1")]

    @pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 1)])
    def test_it_keeps_nothing_and_waits_for_no_lock(
        self,
        notify: Callable[..., int],
        far: FarEnd,
        outbox: Outbox,
        store: Store,
        fails: bool,
        code: int,
    ) -> None:
        if fails:
            far.fails("c1", Outcome.UNREACHABLE)
        assert notify() == code
        assert outbox.ids() == outbox.abandoned_ids() == []
        assert not store.has_ended("c1")

    def test_an_address_that_is_none_is_no_success(
        self, notify: Callable[..., int], far: FarEnd, outbox: Outbox
    ) -> None:
        far.fails("post", Outcome.UNUSABLE)
        assert notify() == 1
        assert outbox.abandoned_ids() == []
