# SPDX-License-Identifier: Apache-2.0
"""What a look at a queue means."""

from __future__ import annotations

from typing import Any

import pytest

from heat_config.cloud import signed
from heat_config.cloud.zaqar import Message
from heat_plugin.answer import Step, View, next_step, view

RESULT = {"deploy_status_code": 0}
OURS = {**RESULT, "deploy_config_id": "c1"}
OTHERS = {**RESULT, "deploy_config_id": "c0"}
WORD = signed.acknowledgement("c1")


def seen(*bodies: Any, ended: bool = False, nameless: bool = False) -> View:
    messages = [Message(str(number), body) for number, body in enumerate(bodies)]
    return view(messages, "c1", ended=ended, nameless=nameless)


@pytest.mark.parametrize(
    ("bodies", "named", "either"),
    [
        ([], None, None),
        ([OURS], OURS, OURS),
        ([OTHERS], None, None),
        ([OTHERS, OURS], OURS, OURS),
        ([RESULT], None, RESULT),
        ([RESULT, OURS], OURS, OURS),
        ([{**RESULT, "deploy_config_id": None}], None, None),
        (["text", 7, None, [OURS]], None, None),
        ([WORD], None, None),
        ([signed.acknowledgement("c0")], None, None),
        ([{"heat_acknowledged": True}], None, None),
    ],
)
def test_which_message_is_the_answer(
    bodies: list[Any], named: dict[str, Any] | None, either: dict[str, Any] | None
) -> None:
    assert seen(*bodies).answer == named
    assert seen(*bodies, nameless=True).answer == either


def test_what_is_removed_is_all_but_the_acknowledgement() -> None:
    found = seen("text", WORD, OURS, signed.acknowledgement("c0"))
    assert found.acknowledged
    assert found.results == ("0", "2", "3")


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (View(False), Step.WAIT),
        (View(False, None, False, ("1",)), Step.WAIT),
        (View(False, OURS, False, ("1",)), Step.SIGNAL),
        (View(False, OURS, True, ("1",)), Step.SIGNAL),
        (View(True), Step.ACKNOWLEDGE),
        (View(True, OURS, False, ("1",)), Step.ACKNOWLEDGE),
        (View(True, OURS, True, ("1",)), Step.REMOVE),
        (View(True, None, True), Step.DONE),
    ],
)
def test_the_table(found: View, step: Step) -> None:
    assert next_step(found) is step
