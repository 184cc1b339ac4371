# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from heat_config import deployment
from heat_config.result import Result
from heat_config.run.store import Store
from heat_config.settings import Settings
from tests.support.deployments import script


def begin(store: Store, config_id: str = "c1") -> Path:
    return store.begin(deployment.read(script("x", config_id=config_id)))


def test_a_config_is_noted_before_it_is_run_for_its_owner_alone(settings: Settings) -> None:
    path = begin(Store(settings))
    assert path == Path(settings.deployed, "c1.json")
    assert json.loads(path.read_text())["config"] == "x"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_run_has_ended_when_there_is_a_result(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    assert Store(settings).has_begun("c1")
    assert not Store(settings).has_ended("c1")
    store.end("c1", Result(0))
    assert Store(settings).has_ended("c1")
    assert json.loads(store.result_path("c1").read_text())["deploy_status_code"] == 0


def test_an_empty_note_means_done_long_ago(settings: Settings) -> None:
    store = Store(settings)
    Path(settings.deployed, "c1.json").touch()
    with store.locked():
        assert store.has_begun("c1")
        assert store.has_ended("c1")


def test_what_is_forgotten_is_run_again(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    store.end("c1", Result(0))
    store.forget("c1")
    assert not store.has_begun("c1")
    assert not store.has_ended("c1")
    assert list(Path(settings.deployed).iterdir()) == []


def test_a_run_is_seen_from_another_process(settings: Settings) -> None:
    store = Store(settings)
    assert not store.is_running()
    with store.locked():
        assert Store(settings).is_running()
    assert not store.is_running()


def test_what_was_deployed_before_2015_is_taken_over(settings: Settings) -> None:
    old = Path(settings.deployed_old)
    old.mkdir()
    (old / "c1.json").write_text("{}")
    assert Store(settings).has_begun("c1")
    assert not old.exists()


def test_old_notes_are_left_alone_when_there_are_new_ones(settings: Settings) -> None:
    for folder in (settings.deployed, settings.deployed_old):
        Path(folder).mkdir()
    Path(settings.deployed_old, "c1.json").touch()
    assert not Store(settings).has_begun("c1")


def test_a_full_disk_leaves_no_half_written_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(settings)
    begin(store)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.end("c1", Result(0))
    assert [path.name for path in Path(settings.deployed).iterdir()] == ["c1.json"]
