# SPDX-License-Identifier: Apache-2.0
"""Whom metadata written for tripleo-image-elements ask to signal at the end."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from heat_config import cli
from heat_config.settings import Settings
from tests.support.deployments import inputs, script
from tests.support.inbox import Inbox


@pytest.fixture(autouse=True)
def nothing_else_to_do(settings: Settings) -> None:
    for folder in (settings.deployed, settings.outbox):
        Path(folder).mkdir()
    Path(settings.config_file).write_text("[]")
    Path(settings.config_file).chmod(0o600)


def rendered(settings: Settings, **values: str) -> None:
    lines = [f"{name.replace('_', '-')} {value}" for name, value in values.items()]
    Path(settings.completion).write_text("\n".join(lines) + "\n")


def test_each_gets_what_a_wait_condition_takes(settings: Settings, inbox: Inbox) -> None:
    """The four keys: with one more it takes none of it."""
    rendered(
        settings,
        completion_handle=inbox.url,
        completion_signal=f"{inbox.url}&signal",
        instance_id="i-1",
    )
    assert cli.main(["refreshed"]) == 0
    assert [verb for verb, *_ in inbox.received] == ["PUT", "POST"]
    for message in inbox.messages:
        assert set(message) == {"Status", "Reason", "UniqueId", "Data"}
        assert (message["Status"], message["UniqueId"]) == ("SUCCESS", "i-1")


def test_nobody_is_signalled_when_a_phase_has_failed(settings: Settings, inbox: Inbox) -> None:
    rendered(settings, completion_handle=inbox.url)
    cli.main(["refreshed", "--failed-in", "its phase configure"])
    assert inbox.received == []


def test_where_a_result_has_gone_nothing_else_goes(settings: Settings, inbox: Inbox) -> None:
    asked = script("", group="os-apply-config", inputs=inputs(deploy_signal_id=inbox.url))
    Path(settings.config_file).write_text(json.dumps([asked]))
    rendered(settings, completion_signal=inbox.url)
    assert cli.main(["refreshed"]) == 0
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 0


@pytest.mark.parametrize(("answer", "status"), [(200, 0), (503, 1), (403, 0), (404, 0)])
def test_what_is_not_served_is_left_to_the_next_run(
    settings: Settings,
    inbox: Inbox,
    answer: int,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inbox.answers = [answer]
    rendered(settings, completion_handle=inbox.url)
    assert cli.main(["refreshed"]) == status
    assert inbox.messages[0]["UniqueId"] == os.uname().nodename
    assert "0123456789abcdef0123" not in capsys.readouterr().err


@pytest.mark.parametrize("url", ["", "7", "no url", '{"a": 1}', "http://[", "two\nlines", "\x00"])
def test_a_url_that_is_none_stops_nobody(settings: Settings, inbox: Inbox, url: str) -> None:
    rendered(settings, completion_handle=url, completion_signal=inbox.url)
    assert cli.main(["refreshed"]) == 0
    assert len(inbox.messages) == 1
