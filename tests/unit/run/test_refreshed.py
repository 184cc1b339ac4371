# SPDX-License-Identifier: Apache-2.0
"""What os-apply-config applies is answered when os-refresh-config has ended, with how it has."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment, files, quick
from heat_config.commands import status
from heat_config.delivery.outbox import Box, Outbox
from heat_config.run import loop
from heat_config.run.refreshed import Refreshed
from heat_config.run.store import Begun, Store
from heat_config.run.unfinished import Unfinished
from heat_config.settings import Settings
from tests.support.deployments import script, to
from tests.support.inbox import Inbox

WELL = Refreshed()
FAILED = Refreshed("its phase post-configure, at 60-web")
GROUPS = ("os-apply-config", "Heat::Ungrouped")


@pytest.fixture
def item(inbox: Inbox) -> dict[str, Any]:
    return script("", group="os-apply-config", config={"motd": "hello"}, inputs=to(inbox.url))


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What os-apply-config makes of the metadata, though no template could be rendered."""
    program = tmp_path / "bin" / "os-apply-config"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def collect(*items: Any, exit_status: int = 0) -> None:
        (tmp_path / "collected").write_text(json.dumps(items))
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/collected\nexit {exit_status}\n")
        program.chmod(0o755)

    return collect


@pytest.mark.parametrize("group", GROUPS)
def test_it_is_pending_until_the_end_and_no_script_is_run_then(
    deploy: Any, settings: Settings, inbox: Inbox, item: dict[str, Any], group: str, runs: Any
) -> None:
    later = script("echo run >> $RUNS", config_id="c2")
    assert deploy({**item, "group": group}) == 0
    assert inbox.messages == []
    assert [row.state for row in status.rows(settings)] == ["pending"]
    assert quick.all_done(settings) is None
    Path(settings.config_file).write_text(json.dumps([{**item, "group": group}, later]))
    assert loop.refreshed(settings, WELL) == loop.refreshed(settings, WELL) == 0
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 0
    assert message["deploy_stdout"].startswith(f"group {group}: applied by os-apply-config")
    assert runs() == 0
    assert [row.state for row in status.rows(settings)] == ["done", "pending"]


def test_a_failure_says_where_and_is_answered_once(
    deploy: Any, settings: Settings, inbox: Inbox, item: dict[str, Any], collected: Any
) -> None:
    """Also where what has failed came before the file of the deployments was rendered."""
    deploy()
    collected(item)
    assert loop.refreshed(settings, FAILED) == 0
    deploy(item)
    assert loop.refreshed(settings, WELL) == 0
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 1
    assert "has failed in its phase post-configure, at 60-web" in message["deploy_stderr"]


@pytest.mark.parametrize("ended", [WELL, FAILED])
def test_what_cannot_be_applied_says_why_and_does_not_stop_the_others(
    deploy: Any, settings: Settings, answer: Any, collected: Any, ended: Refreshed
) -> None:
    text = script("echo hello", group=None)
    own = script("", config_id="c2", group="os-apply-config", config={"deployments": []})
    fine = script("", config_id="c3", group="os-apply-config", config={"k": 1})
    nothing = script("", config_id="c4", group="os-apply-config")
    deploy(text, own, fine, nothing)
    collected(text, own, fine, nothing)
    assert loop.refreshed(settings, ended) == 0
    assert "It names no group" in answer("c1")["deploy_stderr"]
    assert "the server's own data" in answer("c2")["deploy_stderr"]
    codes = [answer(each)["deploy_status_code"] for each in ("c1", "c2", "c3", "c4")]
    assert codes == ([1, 1, 0, 0] if ended is WELL else [1, 1, 1, 1])


def test_a_hook_for_its_group_goes_before(
    deploy: Any, settings: Settings, answer: Any, item: dict[str, Any]
) -> None:
    hook = Path(settings.hook_folders[0], "os-apply-config")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho by a hook\n")
    hook.chmod(0o755)
    deploy(item)
    assert answer("c1")["deploy_stdout"] == "by a hook\n"


def test_it_is_not_forced(
    deploy: Any, settings: Settings, item: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(item)
    assert loop.run(settings, force="c1") == loop.FAILED
    assert "run os-refresh-config" in capsys.readouterr().err
    assert not Store(settings).has_begun("c1")


def test_a_cut_after_it_was_noted_is_answered_with_what_was_noted(
    deploy: Any, settings: Settings, inbox: Inbox, item: dict[str, Any]
) -> None:
    outcome = FAILED.result(deployment.read(item)).as_dict()
    Store(settings).begin(deployment.read(item), Begun(outcome=outcome))
    deploy(item)
    assert inbox.messages == [outcome]
    assert loop.refreshed(settings, WELL) == 0
    assert len(inbox.messages) == 1


@pytest.mark.parametrize("broken", ["begin", "put", "folder"])
def test_what_the_disk_does_not_take_is_kept_in_memory_and_answered_later(
    deploy: Any,
    settings: Settings,
    inbox: Inbox,
    item: dict[str, Any],
    broken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_disk(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    deploy(item)
    of = {"begin": (Store, "begin"), "put": (Box, "put"), "folder": (files, "locked")}[broken]
    with monkeypatch.context() as patch:
        patch.setattr(*of, no_disk)
        assert loop.refreshed(settings, WELL) == loop.UNFINISHED
    assert Unfinished(settings).ids() == ["c1"]
    assert inbox.messages == []
    assert loop.run(settings) == 0
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 0
    assert not Path(settings.unfinished).exists()


def test_what_a_run_has_left_unfinished_stays_so(
    deploy: Any, settings: Settings, item: Any
) -> None:
    other = script("true", config_id="c2")
    deploy(item, other)
    shutil.rmtree(settings.deployed)
    Unfinished(settings).note(["c2"])
    assert loop.refreshed(settings, WELL) == loop.UNFINISHED
    assert Unfinished(settings).ids() == ["c2"]


def test_what_heat_asks_for_must_be_known(
    settings: Settings, collected: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loop.refreshed(settings, WELL) == loop.FAILED
    collected(exit_status=1)
    assert loop.refreshed(settings, FAILED) == loop.FAILED
    assert "os-apply-config ended with exit status 1" in capsys.readouterr().err
    assert Outbox(settings).ids() == []
