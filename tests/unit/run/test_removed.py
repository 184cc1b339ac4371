# SPDX-License-Identifier: Apache-2.0
"""A config that Heat has removed while its hook runs, with and without the option to cancel it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heat_config import process, waiting
from heat_config.delivery.outbox import Outbox
from heat_config.run.store import Store
from heat_config.settings import Settings
from tests.support.deployments import script, to
from tests.support.inbox import Inbox

CANCEL = {"on_removed": "cancel"}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ASK_EVERY", 0.05)


def named(asked: list[str] | None) -> dict[str, tuple[str, str]] | None:
    """What the collector notes of these configs."""
    return None if asked is None else {each: (each, "script") for each in asked}


@pytest.mark.parametrize("asked", [[], ["c2"]])
def test_what_it_has_started_is_ended_and_nobody_is_answered(
    deploy: Any, answer: Any, settings: Settings, inbox: Inbox, tmp_path: Path, asked: list[str]
) -> None:
    waiting.note(settings, ["zaqar"], named(asked))
    note = Path(settings.config_file).parent / "newer.json"
    note.rename(tmp_path / "later")
    begin = f"setsid sleep 300 & echo $! > {tmp_path}/pid; echo so far"
    text = f"{begin}; mv {tmp_path}/later {note}; sleep 300"
    cancelled = script(text, options=CANCEL, inputs=to(inbox.url))
    assert deploy(cancelled, script("echo next", config_id="c2", inputs=to(inbox.url))) == 0
    assert answer("c1")["deploy_status_code"] == process.CANCELLED
    assert answer("c1")["deploy_stdout"] == "so far\n"
    assert "its config was cancelled" in answer("c1")["deploy_stderr"]
    assert not Path("/proc", (tmp_path / "pid").read_text().strip(), "exe").exists()  # or a zombie
    assert [message["deploy_stdout"] for message in inbox.messages] == ["next\n"]
    assert Outbox(settings).ids() == []
    assert deploy(cancelled) == 0
    assert not Path(settings.unfinished).exists()
    assert len(inbox.messages) == 1


def test_it_is_not_begun_then(deploy: Any, settings: Settings, runs: Callable[[], int]) -> None:
    waiting.note(settings, ["zaqar"], {})
    assert deploy(script("echo run >> $RUNS", options=CANCEL)) == 0
    assert (runs(), Store(settings).has_begun("c1")) == (0, False)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, []),
        ({"on_removed": "finish"}, []),
        (CANCEL, ["c1", "c2"]),
        # What is newer is no word of Heat's.
        (CANCEL, None),
    ],
)
def test_else_it_goes_on_and_is_answered(
    deploy: Any,
    inbox: Inbox,
    settings: Settings,
    options: dict[str, str],
    asked: list[str] | None,
) -> None:
    waiting.note(settings, ["zaqar"], named(asked))
    deploy(script("sleep 0.3; echo done", options=options, inputs=to(inbox.url)))
    assert inbox.messages[0]["deploy_stdout"] == "done\n"


def test_a_note_of_a_collector_that_has_ended_counts_for_nothing(
    deploy: Any, inbox: Inbox, settings: Settings, hook: Callable[[str], None]
) -> None:
    hook("sleep 0.3")
    path = Path(settings.config_file).parent / "newer.json"
    path.write_text('[0, ["zaqar"], 4194305, {}]')
    deploy(script("x", group="sh", options=CANCEL, inputs=to(inbox.url)))
    assert Store(settings).result("c1").status_code == 0
    assert len(inbox.messages) == 1
