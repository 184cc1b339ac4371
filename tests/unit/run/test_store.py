# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment
from heat_config.result import Result
from heat_config.run.store import RUN, Begun, Store
from heat_config.settings import Settings
from tests.support.deployments import script

SCOPE = {"boot": "b", "mark": "m"}


def begin(store: Store, begun: Begun = Begun()) -> None:  # noqa: B008 - a tuple
    store.begin(deployment.read(script("x")), begun)


def test_a_config_is_noted_before_it_is_run_for_its_owner_alone(settings: Settings) -> None:
    begin(Store(settings))
    path = Path(settings.deployed, "c1.json")
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


@pytest.mark.parametrize("begun", [Begun(), Begun(True, SCOPE), Begun(False, SCOPE)])
def test_what_is_noted_of_a_run_is_read_back(settings: Settings, begun: Begun) -> None:
    begin(Store(settings), begun)
    assert Store(settings).begun("c1") == begun
    assert Store(settings).is_own("c1")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", "{}", f'{{"{RUN}": 3}}', f'{{"{RUN}": {{"forced": true}}}}']
)
def test_a_note_that_says_nothing_of_its_run_is_of_one_that_nobody_has_forced(
    settings: Settings, content: str
) -> None:
    store = Store(settings)
    store.config_path("c1").write_text(content)
    assert store.begun("c1") == Begun()
    assert store.begun("c2") == Begun()


def test_a_note_that_leads_nowhere_is_one(settings: Settings) -> None:
    """Somebody has moved it to a disk that is away: the config was begun, and is not run again."""
    store = Store(settings)
    store.config_path("c1").symlink_to("nowhere")
    assert store.has_begun("c1")
    assert not store.has_ended("c1")


def test_a_disk_that_says_nothing_does_not_say_that_there_is_no_note(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has none is run."""
    store = Store(settings)
    begin(store)

    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "stat", broken)
    for question in (store.has_begun, store.has_ended):
        with pytest.raises(OSError, match="Input/output"):
            question("c1")


@pytest.mark.parametrize("number", [5, 24])
def test_a_note_that_the_disk_does_not_give_now_says_nothing_yet(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Taken for one of a run that nobody has forced it would be answered on a queue."""
    store = Store(settings)
    begin(store, Begun(True, SCOPE))

    def broken(_: Path) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(OSError, match=os.strerror(number)):
        store.begun("c1")


def test_a_note_of_heat_agents_is_not_an_own_one(settings: Settings) -> None:
    store = Store(settings)
    store.config_path("c1").write_text(json.dumps(script("x")))
    store.config_path("c2").touch()
    assert not any(store.is_own(each) for each in ("c1", "c2", "c3"))


def test_when_a_config_is_begun_again_its_earlier_result_goes(settings: Settings) -> None:
    store = Store(settings)
    begin(store)
    store.end("c1", Result(0))
    begin(store, Begun(forced=True))
    assert store.has_begun("c1")
    assert not store.has_ended("c1")


def test_the_earlier_result_counts_until_the_new_begin_is_noted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(settings)
    begin(store)
    store.end("c1", Result(3))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        begin(store, Begun(forced=True))
    assert store.result("c1") == Result(3)
    assert not store.begun("c1").forced


def test_what_another_process_notes_is_seen_at_once(settings: Settings) -> None:
    """The timer that delivers results notes the end of a run while another one goes on."""
    one, other = Store(settings), Store(settings)
    with one.locked():
        begin(one)
        assert not one.has_ended("c1")
        other.end("c1", Result(0))
        assert one.has_ended("c1")


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff"])
def test_a_result_that_cannot_be_read_says_so(settings: Settings, content: str) -> None:
    store = Store(settings)
    store.result_path("c1").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError):
        store.result("c1")


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
    assert [path.name for path in Path(settings.deployed).parent.glob("*deployed*")] == ["deployed"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_taken_over_in_part_is_taken_over_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """What is not noted is run: a second time."""
    old = Path(settings.deployed_old)
    old.mkdir()
    for number in range(3):
        (old / f"c{number}.json").write_text("{}")
    copied: list[object] = []
    copyfile = shutil.copyfile

    def cut(source: Any, target: Any, **options: Any) -> Any:
        copied.append(source)
        if len(copied) == 2:
            raise error
        return copyfile(source, target, **options)

    def other_file_system(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", cut)
        patch.setattr(os, "rename", other_file_system)
        with pytest.raises((OSError, KeyboardInterrupt)):
            Store(settings)
    store = Store(settings)
    assert [store.has_begun(f"c{number}") for number in range(3)] == [True] * 3


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
