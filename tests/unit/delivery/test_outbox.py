# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from heat_config import files
from heat_config.delivery.entry import DamagedError, Entry, NewerError, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.settings import Settings


@pytest.fixture
def outbox(settings: Settings) -> Outbox:
    return Outbox(settings)


def entry(config_id: str = "c1", since: float = 1.0) -> Entry:
    address = {"deploy_queue_id": "q"}
    return Entry(config_id, address, {"deploy_status_code": 0}, Stage.NEW, since)


def test_a_result_is_pending_until_it_is_settled(outbox: Outbox, settings: Settings) -> None:
    with outbox.locked() as box:
        box.put(entry())
    path = Path(settings.outbox, "c1.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (Outbox(settings).ids(), Outbox(settings).get("c1")) == (["c1"], entry())
    with outbox.locked() as box:
        box.settle("c1")
    assert (Outbox(settings).ids(), Outbox(settings).get("c1")) == ([], None)


def test_the_oldest_is_first_and_what_cannot_be_read_the_last(
    outbox: Outbox, settings: Settings
) -> None:
    with outbox.locked() as box:
        for config_id, since in (("b", 3.0), ("c", 1.0), ("a", 2.0)):
            box.put(entry(config_id, since))
    Path(settings.outbox, "0.json").write_text("{")
    Path(settings.outbox, "1.json").write_text('{"version": 99}')
    assert outbox.in_order() == ["c", "a", "b", "0", "1"]


def test_what_is_put_aside_is_kept_with_the_reason(
    outbox: Outbox, capsys: pytest.CaptureFixture[str]
) -> None:
    with outbox.locked() as box:
        box.put(entry())
        box.put_aside(entry()._replace(stage=Stage.ABANDONED, problem="gone"))
    assert outbox.ids() == []
    assert outbox.abandoned_ids() == ["c1"]
    abandoned = outbox.get_abandoned("c1")
    assert abandoned is not None
    assert (abandoned.stage, abandoned.problem) == (Stage.ABANDONED, "gone")
    assert "the result of c1 is abandoned: gone" in capsys.readouterr().err


def test_all_of_a_configs_results_can_be_forgotten(outbox: Outbox) -> None:
    with outbox.locked() as box:
        box.put_aside(entry()._replace(stage=Stage.SUPERSEDED))
        box.put(entry())
        box.forget("c1")
    assert outbox.ids() == outbox.abandoned_ids() == []


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff"])
def test_what_is_torn_is_damaged(outbox: Outbox, settings: Settings, content: str) -> None:
    Path(settings.outbox, "c1.json").write_text(content, encoding="latin-1")
    with pytest.raises(DamagedError):
        outbox.get("c1")
    assert outbox.get_readable("c1") is None
    assert outbox.undelivered() == ["c1"]


def test_what_is_damaged_is_set_aside_and_not_pending_any_more(
    outbox: Outbox, settings: Settings
) -> None:
    Path(settings.outbox, "c1.json").write_text("{")
    with outbox.locked() as box:
        aside = box.replace_damaged("c1", None)
    assert aside.read_text() == "{"
    assert outbox.ids() == []


def test_what_is_newer_is_not_taken_for_damaged(outbox: Outbox, settings: Settings) -> None:
    Path(settings.outbox, "c1.json").write_text('{"version": 99}')
    for read in (outbox.get, outbox.get_readable):
        with pytest.raises(NewerError):
            read("c1")
    assert outbox.undelivered() == ["c1"]


@pytest.mark.parametrize("stage", Stage)
def test_what_was_accepted_is_delivered_although_something_is_left_to_do(
    outbox: Outbox, stage: Stage
) -> None:
    with outbox.locked() as box:
        box.put(entry()._replace(stage=stage))
    assert outbox.undelivered() == ([] if stage.is_delivered else ["c1"])


def test_a_wrong_value_is_named_and_the_rest_is_kept(
    outbox: Outbox, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with outbox.locked() as box:
        box.put(entry()._replace(tries=3))
    path = Path(settings.outbox, "c1.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "since": "text", "tomorrow": 1}))
    found = outbox.get("c1")
    assert found is not None
    assert (found.since, found.tries, found.unknown) == (0.0, 3, {"tomorrow": 1})
    assert "since is 'text'" in capsys.readouterr().err


def test_an_entry_is_written_once_while_nothing_changes(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    with outbox.locked() as box:
        for tries in (0, 0, 1, 1):
            box.put(entry()._replace(tries=tries))
    assert len(flushed) == 2 * len(["file", "folder"])


def test_under_a_new_lock_nothing_is_believed_to_be_on_disk(outbox: Outbox) -> None:
    """Another process may have changed it meanwhile."""
    with outbox.locked() as box:
        box.put(entry())
    with outbox.locked() as other:
        other.settle("c1")
    with outbox.locked() as box:
        box.put(entry())
    assert outbox.ids() == ["c1"]


def test_what_could_not_be_written_is_written_the_next_time(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with outbox.locked() as box:
        box.put(entry())
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_durably", full)
            with pytest.raises(OSError, match="No space"):
                box.put(entry()._replace(tries=1))
        assert outbox.get("c1") == entry()
        box.put(entry()._replace(tries=1))
    assert outbox.get("c1") == entry()._replace(tries=1)
