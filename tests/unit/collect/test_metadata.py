# SPDX-License-Identifier: Apache-2.0
"""What is made of the metadata before os-collect-config's files are written; when one looks."""

from __future__ import annotations

from typing import Any

import pytest

from heat_config.collect import metadata
from heat_config.collect.pace import Doubling, Pace


def test_a_plain_config_is_a_source_of_its_own() -> None:
    plain = {"name": "motd", "group": "os-apply-config", "config": {"motd": "hello"}}
    content = {"deployments": [plain, {"name": "s", "group": "script", "config": "x"}]}
    found = metadata.sources("zaqar", content, ["deployments"])
    assert found == [("zaqar", content), ("motd", {"motd": "hello"})]


@pytest.mark.parametrize("name", ["../etc/x", "a/b", "", ".", "zaqar", "ec2", "a\0", 7, None])
def test_a_name_is_never_a_path_nor_another_sources(name: object) -> None:
    content: dict[str, Any] = {"deployments": [{"name": name, "config": {}}]}
    assert metadata.sources("zaqar", content, ["deployments"]) == [("zaqar", content)]


def test_the_servers_id_is_in_its_deployments() -> None:
    inputs = [{"name": "foo", "value": "x"}, {"name": "deploy_server_id", "value": "s-1"}]
    assert metadata.server_id({"deployments": [{"inputs": inputs}]}) == "s-1"
    assert metadata.server_id({"deployments": [{"inputs": None}]}) is None
    assert metadata.server_id({}) is None


def test_the_pace_is_quick_after_a_change_and_slow_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    pace = Pace(1, 30)
    for idle, wait in ((0, 1), (10, 1), (60, 6), (300, 30), (9999, 36)):
        now = 1000.0 + idle
        assert 0.8 * wait <= pace.wait() <= wait
    pace.changed()
    assert pace.wait() <= 1


def test_many_servers_do_not_keep_step() -> None:
    assert len({Pace(1, 30).wait() for _ in range(20)}) > 10


def test_waits_double_up_to_the_interval() -> None:
    waits = Doubling(1, 5)
    assert [waits.wait() for _ in range(5)] == [1, 2, 4, 5, 5]
    waits.reset()
    assert waits.wait() == 1
