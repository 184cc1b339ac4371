# SPDX-License-Identifier: Apache-2.0
"""What is made of the metadata before os-collect-config's files are written."""

from __future__ import annotations

import pytest

from heat_config.collect import metadata


def test_a_plain_config_is_a_source_of_its_own() -> None:
    plain = {"name": "motd", "group": "os-apply-config", "config": {"motd": "hello"}}
    content = {"deployments": [plain, {"name": "s", "group": "script", "config": "x"}]}
    found = metadata.sources("zaqar", content, ["deployments"])
    assert found == [("zaqar", content), ("motd", {"motd": "hello"})]


@pytest.mark.parametrize("content", [None, [], "text", 7, {"deployments": {"a": 1}}])
def test_what_holds_no_deployments_is_one_source(content: object) -> None:
    assert metadata.sources("request", content, ["deployments"]) == [("request", content)]


def test_the_servers_id_is_in_its_deployments() -> None:
    inputs = [{"name": "foo", "value": "x"}, {"name": "deploy_server_id", "value": "s-1"}]
    assert metadata.server_id({"deployments": [{"inputs": inputs}]}) == "s-1"
    assert metadata.server_id({"deployments": [{"inputs": None}]}) is None
    assert metadata.server_id({}) is None
