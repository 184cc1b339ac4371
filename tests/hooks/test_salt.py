# SPDX-License-Identifier: Apache-2.0
"""The group salt with salt-call."""

from __future__ import annotations

from tests.support.deployments import inputs
from tests.support.hook_server import HookServer

GROUP = "salt"


def test_a_state_as_a_map_and_no_pillar_left(server: HookServer) -> None:
    config = {"say": {"cmd.run": [{"name": "echo hunter22"}]}}
    answer, log = server.hook(config, inputs=inputs(deploy_password="hunter22"))
    assert answer["deploy_status_code"] == 0, answer
    assert "hunter22" not in log
    assert list(server.state.glob("*.pillar")) == []


def test_a_state_that_cannot_be_read(server: HookServer) -> None:
    answer, _ = server.hook("a: [")
    assert answer["deploy_status_code"] != 0
    assert "Rendering SLS" in answer["deploy_stderr"].splitlines()[0]
