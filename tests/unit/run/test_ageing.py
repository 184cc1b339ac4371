# SPDX-License-Identifier: Apache-2.0
"""What Heat asks for no more is forgotten in the end, never what is pending."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heat_config import cli, deployment, quick
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import ageing, answering, loop, runlog
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished
from heat_config.settings import Settings
from tests.support.deployments import inputs, script

OLD, NEW = 91 * 86_400, 89 * 86_400
SECRET = inputs(deploy_password="hunter22-secret")


class Server:
    """A server that has run a config some time ago."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store, self.outbox = Store(settings), Outbox(settings)
        self.working = Path(settings.deployed).parent / "heat-config-script"
        self.working.mkdir()

    def has_run(self, config_id: str, age: int = OLD, *, ended: bool = True) -> None:
        item = script("x", config_id=config_id, inputs=SECRET)
        self.store.begin(deployment.read(item), Begun(scope={"boot": "b"}))
        files = [self.store.config_path(config_id), runlog.path_of(config_id, self.settings)]
        if ended:
            self.store.end(config_id, Result(0, "hunter22-secret"))
            files.append(self.store.result_path(config_id))
        files += [runlog.older_part(files[1]), *self.written(config_id)]
        for path in files:
            path.parent.mkdir(exist_ok=True, parents=True)
            with path.open("a"):
                os.utime(path, (time.time() - age,) * 2)

    def written(self, config_id: str) -> list[Path]:
        return [
            self.working / config_id,
            self.working / f"{config_id}_folder" / "file",
            Path(os.environ["HEAT_SCRIPT_OUTPUTS"], f"{config_id}.output"),
        ]

    def left(self, config_id: str) -> list[str]:
        """The names of what is there of a config and not empty, or not of the store."""
        above = Path(self.settings.deployed).parent
        found = [path for path in above.rglob(f"{config_id}*") if ".lock" not in path.parts]
        noted = self.store.config_path(config_id)
        return sorted(path.name for path in found if path != noted or path.stat().st_size)

    def ages(self, *asked: str) -> None:
        ageing.age_out(asked or ["another"], self.store, self.outbox, self.settings)


@pytest.fixture
def server(settings: Settings) -> Server:
    return Server(settings)


def test_of_an_old_run_only_the_fact_is_kept(server: Server) -> None:
    server.has_run("c1")
    assert len(server.left("c1")) == 7
    server.ages()
    assert server.left("c1") == []
    assert server.store.has_begun("c1") and server.store.has_ended("c1")


def test_it_is_not_run_when_heat_asks_for_it_again(
    server: Server, deploy: Any, tmp_path: Path
) -> None:
    server.has_run("c1")
    server.ages()
    item = script(f"#!/bin/sh\ntouch {tmp_path}/ran", config_id="c1")
    assert deploy(item, script("true", config_id="c2")) == 0
    assert not (tmp_path / "ran").exists()
    assert quick.all_done(server.settings) == 2
    assert cli.main(["status"]) == 0


def test_of_a_run_whose_note_was_taken_away_nothing_is_left(server: Server) -> None:
    server.has_run("c1")
    server.store.config_path("c1").unlink()
    server.ages()
    assert server.left("c1") == []
    assert not server.store.has_begun("c1")


@pytest.mark.parametrize("age", [NEW, 0])
def test_what_is_not_old_is_kept(server: Server, age: int) -> None:
    server.has_run("c1", age)
    before = server.left("c1")
    server.ages()
    assert server.left("c1") == before


def is_asked_for(server: Server) -> None:
    server.ages("c1")


def is_pending(server: Server) -> None:
    with server.outbox.locked() as box:
        box.put(Entry("c1", {"deploy_queue_id": "q"}, {"deploy_status_code": 0}, Stage.NEW))
    server.ages()
    with server.outbox.locked() as box:
        box.settle("c1")


def is_pending_and_cannot_be_read(server: Server) -> None:
    path = Path(server.settings.outbox, "c1.json")
    path.write_text("{")
    server.ages()
    path.unlink()


def is_unfinished(server: Server) -> None:
    Unfinished(server.settings).keep("c1", Result(0))
    server.ages()
    Unfinished(server.settings).forget("c1")


def heat_asks_for_nothing(server: Server) -> None:
    ageing.age_out([], server.store, server.outbox, server.settings)


@pytest.mark.parametrize(
    "why",
    [
        is_asked_for,
        is_pending,
        is_pending_and_cannot_be_read,
        is_unfinished,
        heat_asks_for_nothing,
    ],
)
def test_what_may_still_be_needed_is_kept(server: Server, why: Callable[[Server], None]) -> None:
    server.has_run("c1")
    before = server.left("c1")
    why(server)
    assert server.left("c1") == before
    server.ages()
    assert server.left("c1") == []


def test_a_run_that_was_cut_is_still_answered_as_that(server: Server, answer: Any) -> None:
    server.has_run("c1", ended=False)
    server.ages()
    assert not server.store.has_ended("c1")
    assert "hunter22" not in server.store.config_path("c1").read_text()
    assert server.store.begun("c1") == Begun(scope={"boot": "b"})
    target = deployment.read(script("x"))
    assert answering.after_cut(target, server.store.begun("c1"), server.settings).failed
    Path(server.settings.config_file).write_text(json.dumps([script("x")]))
    loop.run(server.settings)
    assert answer("c1")["deploy_interrupted"] is True


def test_what_was_abandoned_or_damaged_goes(server: Server) -> None:
    folder = Path(server.settings.outbox)
    (folder / "abandoned").mkdir()
    names = [
        *("abandoned/old.json", "old.json.damaged", "abandoned/asked.json", "asked.json.damaged"),
        *("abandoned/new.json", "new.json.damaged"),
    ]
    for name in names:
        (folder / name).touch()
        age = NEW if "new" in name else OLD
        os.utime(folder / name, (time.time() - age,) * 2)
    server.ages("asked")
    left = {str(path.relative_to(folder)) for path in folder.rglob("*.json*")}
    assert left == set(names[2:])


def test_files_of_an_id_that_begins_alike_are_kept(server: Server) -> None:
    server.has_run("c1")
    for other in ("c1.2", "c1_2", "c12"):
        server.has_run(other, NEW)
    before = [server.left(other) for other in ("c1.2", "c1_2", "c12")]
    server.ages("c1.2", "c1_2")
    assert [server.left(other) for other in ("c1.2", "c1_2", "c12")] == before
    assert not (server.working / "c1").exists()


def test_projects_of_docker_compose_are_kept(server: Server) -> None:
    server.has_run("c1")
    project = server.working.with_name("heat-config-docker-compose") / "c1"
    project.mkdir(parents=True)
    server.ages()
    assert project.is_dir()


def test_one_that_cannot_be_removed_does_not_keep_the_others(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.has_run("c1")
    server.has_run("d1")
    strip = Store.strip

    def immutable(store: Store, config_id: str) -> None:
        if config_id == "c1":
            raise PermissionError(1, "Operation not permitted")
        strip(store, config_id)

    monkeypatch.setattr(Store, "strip", immutable)
    server.ages()
    assert server.left("d1") == []
    assert "c1: what is old of it cannot be removed" in capsys.readouterr().err


def test_a_crash_in_the_middle_is_made_good(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.has_run("c1")
    with monkeypatch.context() as patch:
        patch.setattr("heat_config.files.remove_durably", None)
        with pytest.raises(TypeError):
            server.ages()
    assert server.store.has_ended("c1")
    moment = time.time() - OLD
    os.utime(server.store.config_path("c1"), (moment, moment))
    server.ages()
    assert server.left("c1") == []


def test_what_has_aged_is_not_looked_into_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.has_run("c1")
    server.ages()
    monkeypatch.setattr(Store, "strip", None)
    server.ages()


def test_a_run_of_the_agent_ages_what_is_old(server: Server, deploy: Any) -> None:
    server.has_run("c1")
    deploy(script("true", config_id="c2", group="none"))
    assert server.left("c1") == []
    assert len(server.left("c2")) > 0
