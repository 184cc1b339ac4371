# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment, signals
from heat_config.result import Result
from heat_config.run.records import entry_of
from heat_config.settings import Settings
from heat_config.signals import heat, url, zaqar
from tests.support.deployments import script

TARGET = deployment.read(script("x", inputs=[{"name": "deploy_queue_id", "value": "q"}]))
LARGE = Result(0, "out " * 500_000, "err " * 500_000, {"o": "kept"})


def size(result: Result, settings: Settings) -> int:
    entry = entry_of(TARGET, result, settings, forced=False)
    assert entry
    assert entry.message["o"] == result.outputs["o"]
    return len(json.dumps(entry.message))


def test_what_is_pending_is_no_larger_than_what_may_be_sent(settings: Settings) -> None:
    assert 1_000_000 < size(LARGE, settings) <= signals.LARGEST


def test_what_is_kept_for_people_is_no_larger(deploy: Any, settings: Settings) -> None:
    """A hook that prints no JSON is answered with the ends of what it has written."""
    hook = Path(settings.hook_folders[0], "raw")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nyes | head -c 3000000; yes | head -c 3000000 >&2\n")
    hook.chmod(0o755)
    deploy(script("x", group="raw"))
    kept = Path(settings.deployed, "c1.notify.json").stat().st_size
    assert 1_000_000 < kept <= signals.LARGEST + 100


@pytest.mark.parametrize("transport", [heat, url, zaqar])
def test_no_transport_carries_more(transport: object) -> None:
    assert getattr(transport, "LIMIT", 0) in range(1, signals.LARGEST + 1)


def test_outputs_that_are_too_large_are_left_to_the_transport(settings: Settings) -> None:
    large = LARGE._replace(outputs={"o": "x" * 2_000_000})
    assert size(large, settings) == len(large.as_json())


def test_a_program_that_sends_gets_all_of_it(settings: Settings) -> None:
    assert size(LARGE, settings._replace(notify="/bin/true")) == len(LARGE.as_json())
