# SPDX-License-Identifier: Apache-2.0
"""In the place of Zaqar, Heat and every URL: senders without a policy, which fail as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from heat_config import signals
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.result import Result
from heat_config.settings import Settings

HEAT = "http://heat/"


def queue_of(config_id: str, cloud: str = HEAT) -> dict[str, Any]:
    """The address of a result that Heat waits for on a queue."""
    return {
        "deploy_auth_url": cloud,
        "deploy_queue_id": f"queue-of-{config_id}",
        "deploy_stack_id": "stack/1",
        "deploy_resource_name": config_id,
    }


def signed_of(config_id: str, host: str = "zaqar.example") -> dict[str, Any]:
    """The address of a result on a queue that Heat's plug-in reads."""
    path = f"/v2/queues/queue-of-{config_id}/messages"
    signed = f"methods=GET,POST&paths={path}&expires=2099-01-01T00:00:00&signature={'0' * 64}"
    return {
        "deploy_signal_id": f"zaqar+https://{host}{path}?project=p&{signed}",
        "deploy_signal_verb": "POST",
        "deploy_stack_id": "stack/1",
        "deploy_resource_name": "deployment",
    }


class FarEnd:
    """Accepts everything unless told otherwise; nobody takes a message from its queue."""

    limit = 1000

    def __init__(self) -> None:
        self.acts: list[tuple[str, str]] = []
        """What was asked for and for which config: post, look, clean or notify."""
        self.messages: list[tuple[str, dict[str, Any]]] = []
        """What is on the queues, and what was sent to a URL."""
        self.notified: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, Exception] = {}
        """What is raised, for an act, for a config or for both ("post c1")."""
        self.acknowledged: set[str] = set()
        """Of which configs Heat's acknowledgement is on the queue."""
        self.loses_answers = False
        """Whether what fails has happened all the same."""
        self.before: Callable[[str, str], object] = lambda *_: None
        """Called before each act with its name and the config's id."""

    def take_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signals, "sender_of", self._sender_of)
        monkeypatch.setattr(signals, "queue_of", self._queue_of)
        monkeypatch.setattr(signals, "heat_of", self._heat_of)

    def fails(self, what: str, outcome: Outcome, reason: str = "the far end says no") -> None:
        self.errors[what] = CloudError(reason, outcome)

    def act(self, name: str, config_id: str, then: Callable[[], object] = lambda: None) -> None:
        self.before(name, config_id)
        self.acts.append((name, config_id))
        found = (self.errors.get(key) for key in (f"{name} {config_id}", name, config_id))
        error = next((each for each in found if each), None)
        if self.loses_answers or not error:
            then()
        if error:
            raise error

    def _sender_of(self, _: Mapping[str, Any], config_id: str, *__: object) -> _Way:
        return _Way(self, config_id)

    def _queue_of(self, _: Mapping[str, Any], config_id: str, __: Settings) -> _Way:
        return _Way(self, config_id)

    def _heat_of(self, address: Mapping[str, Any], _: Settings) -> _Resource:
        return _Resource(self, address["deploy_resource_name"])


class _Resource:
    def __init__(self, far: FarEnd, config_id: str) -> None:
        self.limit = far.limit
        self._far = far
        self._id = config_id

    def post(self, result: Result) -> str:
        message = self._id, result.as_dict()
        self._far.act("notify", self._id, lambda: self._far.notified.append(message))
        return "Heat"


class _Way(_Resource):
    def post(self, result: Result) -> str:
        message = self._id, result.as_dict()
        self._far.act("post", self._id, lambda: self._far.messages.append(message))
        return "the far end"

    def find(self) -> Outcome:
        self._far.act("look", self._id)
        if self._id in self._far.acknowledged:
            return Outcome.ACKNOWLEDGED
        is_there = self._id in dict(self._far.messages)
        return Outcome.PRESENT if is_there else Outcome.ABSENT

    def remove(self) -> None:
        self._far.act("clean", self._id, self._remove)

    def _remove(self) -> None:
        self._far.messages = [each for each in self._far.messages if each[0] != self._id]
