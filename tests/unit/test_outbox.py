# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from heat_config.delivery.outbox import Entry, Outbox
from heat_config.settings import Settings


def entry(config_id: str = "c1", since: float = 1.0) -> Entry:
    return Entry(config_id, {"deploy_queue_id": "q"}, {"deploy_status_code": 0}, since)


def test_a_result_is_owed_until_it_is_settled(settings: Settings) -> None:
    outbox = Outbox(settings)
    outbox.put(entry())
    path = Path(settings.outbox, "c1.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert Outbox(settings).entries() == [entry()]
    outbox.settle("c1")
    assert Outbox(settings).entries() == []


def test_the_oldest_is_first(settings: Settings) -> None:
    outbox = Outbox(settings)
    for config_id, since in (("b", 3.0), ("c", 1.0), ("a", 2.0)):
        outbox.put(entry(config_id, since))
    assert [each.id for each in outbox.entries()] == ["c", "a", "b"]


def test_what_is_given_up_is_kept_with_the_reason(settings: Settings) -> None:
    outbox = Outbox(settings)
    outbox.put(entry())
    outbox.abandon(entry(), "gone")
    assert outbox.ids() == []
    assert outbox.abandoned_ids() == ["c1"]
    given_up = outbox.get_abandoned("c1")
    assert given_up is not None
    assert given_up.problem == "gone"
    outbox.forget("c1")
    assert outbox.abandoned_ids() == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"id": "c2"}', '{"id":"c2","values":3,"message":{},"since":1}', "\xff"],
)
def test_a_torn_entry_is_named_and_does_not_hold_up_the_others(
    settings: Settings, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox = Outbox(settings)
    outbox.put(entry())
    Path(settings.outbox, "c2.json").write_text(content, encoding="latin-1")
    assert outbox.entries() == [entry()]
    assert "c2.json is not a result that is owed" in capsys.readouterr().err


def test_an_entry_reads_as_it_was_written(settings: Settings) -> None:
    full = entry()._replace(tries=3, due=5.0, problem="x", told_heat=True, forced=True)
    Outbox(settings).put(full)
    assert json.loads(Path(settings.outbox, "c1.json").read_text())["tries"] == 3
    assert Outbox(settings).get("c1") == full
