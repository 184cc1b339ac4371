# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from heat_config import deployment
from heat_config.result import Result
from heat_config.settings import Settings
from heat_config.store import Store

from .conftest import script

ADDRESS = {"deploy_signal_id": "http://127.0.0.1/"}


def begin(store: Store, config_id: str = "c1") -> Path:
    return store.begin(deployment.read(script("x", config_id=config_id)))


def test_a_config_is_noted_before_it_is_run_for_its_owner_alone(settings: Settings) -> None:
    path = begin(Store(settings))
    assert path == Path(settings.deployed, "c1.json")
    assert json.loads(path.read_text())["config"] == "x"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert Path(settings.outbox).stat().st_mode & 0o777 == 0o700


def test_a_result_is_owed_until_it_is_settled(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    store.finish("c1", Result(0, "out"), ADDRESS)
    (owed,) = Store(settings).owed()
    assert (owed.id, owed.values, owed.message["deploy_stdout"]) == ("c1", ADDRESS, "out")
    assert Path(settings.outbox, "c1.json").stat().st_mode & 0o777 == 0o600
    store.settle("c1")
    assert Store(settings).owed() == []
    assert Store(settings).is_done("c1")


def test_nothing_is_owed_where_nobody_waits(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    assert store.finish("c1", Result(0), {}) is None
    assert store.owed_ids() == []


def test_the_oldest_result_is_sent_first(settings: Settings) -> None:
    store = Store(settings)
    for number, config_id in enumerate(["b", "c", "a"]):
        begin(store, config_id)
        store.finish(config_id, Result(0), ADDRESS)
        os.utime(Path(settings.outbox, f"{config_id}.json"), (number, number))
    assert [owed.id for owed in store.owed()] == ["b", "c", "a"]


def test_a_run_without_a_result_was_cut(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    assert Store(settings).was_cut("c1")
    store.finish("c1", Result(0), {})
    assert not Store(settings).was_cut("c1")


def test_a_crash_between_outbox_and_result_is_no_cut(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    store.finish("c1", Result(0), ADDRESS)
    Path(settings.deployed, "c1.notify.json").unlink()
    assert not Store(settings).was_cut("c1")


def test_an_empty_note_means_done_long_ago(settings: Settings) -> None:
    store = Store(settings)
    Path(settings.deployed, "c1.json").touch()
    with store.locked():
        assert store.is_done("c1")
        assert not store.was_cut("c1")


def test_what_was_deployed_before_2015_is_taken_over(settings: Settings) -> None:
    old = Path(settings.deployed_old)
    old.mkdir()
    (old / "c1.json").write_text("{}")
    assert Store(settings).is_done("c1")
    assert not old.exists()


def test_old_notes_are_left_alone_when_there_are_new_ones(settings: Settings) -> None:
    for folder in (settings.deployed, settings.deployed_old):
        Path(folder).mkdir()
    Path(settings.deployed_old, "c1.json").touch()
    assert not Store(settings).is_done("c1")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": "c2"}', '{"id":1,"values":3}'])
def test_a_broken_entry_does_not_hold_up_the_others(
    settings: Settings, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(settings)
    begin(store)
    store.finish("c1", Result(0), ADDRESS)
    Path(settings.outbox, "c2.json").write_text(content)
    assert [owed.id for owed in store.owed()] == ["c1"]
    assert "c2.json" in capsys.readouterr().err


def test_a_full_disk_leaves_no_half_written_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(settings)
    begin(store)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.finish("c1", Result(0), ADDRESS)
    assert [path.name for path in Path(settings.outbox).iterdir()] == []
    assert sorted(path.name for path in Path(settings.deployed).iterdir()) == ["c1.json"]
