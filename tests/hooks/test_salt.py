# SPDX-License-Identifier: Apache-2.0
"""The group salt with salt-call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.deployments import inputs
from tests.support.hook_server import HookServer

GROUP = "salt"

# The ways in which a state may read its inputs: ours, and those that heat-agents' hook gave.
WAYS = {
    "pillar": '{{ pillar["pkg-name"] }}',
    "options": '{{ opts["pkg-name"] }}',
    "nested": '{{ pillar["master"]["pkg-name"] }}',
    "looked up": '{{ salt["config.get"]("pkg-name") }}',
}
# Two have the names of salt's own options.
VALUES = {"pkg-name": "web", "file_client": "far", "user": "nobody-such"}


def saying(texts: dict[str, str]) -> dict[str, Any]:
    """States of these names that only say something."""
    kind = "test.configurable_test_state"
    return {name: {kind: [{"changes": False, "comment": text}]} for name, text in texts.items()}


def said(answer: dict[str, Any]) -> dict[str, str]:
    """What they have said."""
    assert answer["deploy_status_code"] == 0, answer
    states = json.loads(answer["deploy_stdout"])["local"].values()
    return {state["__id__"]: state["comment"] for state in states}


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


@pytest.mark.parametrize("pillar_opts", [False, True])
def test_a_state_reads_its_inputs_as_with_heat_agents(
    server: HookServer, *, pillar_opts: bool
) -> None:
    with Path(server.variables["SALT_MINION_CONFIG"]).open("a") as minion:
        minion.write(f"pillar_opts: {pillar_opts}\n")
    answer, _ = server.hook(saying(WAYS), inputs=inputs(**VALUES))
    assert said(answer) == dict.fromkeys(WAYS, "web")


def test_an_input_named_master_is_itself(server: HookServer) -> None:
    texts = {"master": '{{ pillar["master"] }}', "options": WAYS["options"]}
    answer, _ = server.hook(saying(texts), inputs=inputs(**VALUES, master="salt.example"))
    assert said(answer) == {"master": "salt.example", "options": "web"}


@pytest.mark.parametrize(
    ("renderers", "expected"),
    [("#!jinja|yaml", "web"), ("#!yaml", WAYS["options"])],
)
def test_the_states_own_renderers_are_used(
    server: HookServer, renderers: str, expected: str
) -> None:
    states = yaml.safe_dump(saying({"options": WAYS["options"]}))
    answer, _ = server.hook(f"{renderers}\n{states}", inputs=inputs(**VALUES))
    assert said(answer) == {"options": expected}
