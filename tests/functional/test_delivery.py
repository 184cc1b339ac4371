# SPDX-License-Identifier: Apache-2.0
"""Results on their way back over a wire that breaks, to the real Keystone, Zaqar and Heat.

What is asserted of each fault: whether the result counts as accepted, and what
Heat finds in the end. Heat takes the first message on a queue as the result of
the deployment, and one that is left there as that of the next update: so there
must be exactly one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heat_config import redact, settings, signals
from heat_config.cloud.errors import CloudError
from heat_config.delivery.outbox import Entry
from heat_config.result import from_dict
from heat_config.signals import retry
from lab import Lab
from lab.wire import LOSE_ANSWER, RESET, Action, Wire, answer
from tests.support.faults import AMBIGUOUS, BAD_CONTENT, PASSING, each
from tests.support.signalled import Deployments
from tests.support.user import DemoUser
from tests.support.wires import Reroute, address

SETTINGS = settings.load({"HEAT_CONFIG_SETTINGS": "/nonexistent"})
RESULT = {
    "deploy_stdout": "größe: 日本 \U0001f600 \t\0 \\u00e9\n",
    "deploy_stderr": "",
    "deploy_status_code": 0,
    "output": "ümlaut",
}


def send(
    values: dict[str, Any],
    message: dict[str, Any],
    config_id: str = "c1",
    *,
    refused_before: bool = False,
) -> str:
    """Send a result as the agent does, without waiting between the tries.

    It has been owed for long: the user of these tests has no resource in Heat that
    could be told instead.
    """
    entry = Entry(config_id, values, message, since=0.0, doubt=False)
    sender = signals.sender_for(entry, SETTINGS, Path("/nonexistent"))
    return retry.until_accepted(
        sender, from_dict(message), "/log/c1.log", 0.0, refused_before=refused_before
    ).target


def refusal(send: Callable[[], object], values: dict[str, Any]) -> CloudError:
    """The error with which a result is not accepted; it tells no secret."""
    with pytest.raises(CloudError) as raised:
        send()
    message = str(raised.value)
    assert not [secret for secret in redact.secrets_in(values) if secret in message]
    return raised.value


class Queue:
    """A deployment's queue, which the agent reaches over a wire."""

    def __init__(self, user: DemoUser, wire: Wire) -> None:
        self._user = user
        self.wire = wire
        self.name = f"test-{uuid.uuid4().hex}"
        self.values = {**user.values, "deploy_queue_id": self.name}

    def send(self, *actions: Action, message: dict[str, Any] | None = None, **options: Any) -> str:
        self.wire.plan(actions)
        return send(self.values, message or RESULT, **options)

    def refuses(self, *actions: Action) -> CloudError:
        return refusal(lambda: self.send(*actions), self.values)

    @property
    def messages(self) -> list[Any]:
        return self._user.messages(self.name)


@pytest.fixture(autouse=True)
def nothing_secret_is_written(capfd: pytest.CaptureFixture[str], user: DemoUser) -> Iterator[None]:
    yield
    assert user.values["deploy_password"] not in "".join(capfd.readouterr())


@pytest.fixture
def queue(lab: Lab, user: DemoUser, reroute: Reroute) -> Iterator[Queue]:
    with Wire(address(lab.endpoints["messaging"])) as wire:
        reroute("messaging", wire)
        yield Queue(user, wire)


@pytest.fixture
def identity(lab: Lab, queue: Queue) -> Iterator[Wire]:
    """Keystone at the other end of a wire of its own."""
    with Wire(address(lab.auth_url)) as wire:
        queue.values["deploy_auth_url"] = f"{wire.url}/v3/"
        yield wire


class TestZaqar:
    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_a_moments_trouble_is_tried_again(self, queue: Queue, action: Action) -> None:
        queue.send(action)
        assert queue.messages == [RESULT]

    @each(AMBIGUOUS)
    @pytest.mark.usefixtures("short_stall")
    def test_a_result_whose_answer_was_lost_is_not_sent_twice(
        self, queue: Queue, action: Action
    ) -> None:
        queue.send(action)
        assert queue.messages == [RESULT]
        assert [exchange.method for exchange in queue.wire.history] == ["POST", "GET"]

    def test_that_it_is_there_is_found_out_in_trouble_too(self, queue: Queue) -> None:
        queue.send(LOSE_ANSWER, answer(503), RESET)
        assert queue.messages == [RESULT]
        assert len(queue.wire.requests("POST")) == 1

    @each(BAD_CONTENT)
    def test_a_content_that_is_refused_becomes_a_failure_that_says_so(
        self, queue: Queue, action: Action
    ) -> None:
        assert queue.refuses(action).bad_content
        assert queue.messages == []
        queue.send(action, refused_before=True)
        (message,) = queue.messages
        assert message["deploy_status_code"] == 1
        assert f"answered {action.status}" in message["deploy_stderr"]

    def test_what_is_small_and_yet_too_large_is_kept_as_it_is(self, queue: Queue) -> None:
        # Another would be no smaller: something is in between, and passes.
        error = queue.refuses(answer(413))
        assert error.too_large and not error.bad_content
        queue.send(answer(413), answer(413), message={**RESULT, "deploy_stdout": "x" * 9_000})
        (message,) = queue.messages
        assert message["deploy_status_code"] == 0

    def test_an_integer_that_zaqar_does_not_take_fails_with_a_reason(self, queue: Queue) -> None:
        queue.send(message={**RESULT, "output": 2**64}, refused_before=True)
        (message,) = queue.messages
        assert message["deploy_status_code"] == 1
        assert "too large" in message["deploy_stderr"]

    def test_a_limit_below_the_usual_one_leads_to_a_smaller_message(self, queue: Queue) -> None:
        queue.send(answer(413), answer(413), message={**RESULT, "deploy_stdout": "x" * 100_000})
        (message,) = queue.messages
        assert message["deploy_status_code"] == 0
        assert 20_000 < len(message["deploy_stdout"]) < 30_000

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(self, queue: Queue, action: Action) -> None:
        error = queue.refuses(*[action] * retry.TRIES)
        assert error.retry
        assert queue.wire.url in str(error)
        assert len(queue.wire.history) == retry.TRIES
        assert queue.messages == []

    def test_a_closed_port_is_tried_again(self, queue: Queue) -> None:
        queue.wire.close_port()
        assert queue.refuses().retry
        queue.wire.open_port()
        queue.send()
        assert queue.messages == [RESULT]

    def test_connections_are_kept_and_one_token_serves_them_all(
        self, queue: Queue, identity: Wire
    ) -> None:
        queue.send(answer(429), answer(503), answer(502, forward=True))
        # Two posts, and since it may have arrived, two looks and the last post.
        assert [exchange.method for exchange in queue.wire.history] == [
            *("POST", "POST", "GET", "GET", "POST")
        ]
        assert queue.wire.connections == 1
        assert len(identity.requests("POST")) == 1

    def test_a_result_above_the_limit_arrives_trimmed(self, queue: Queue) -> None:
        large = {**RESULT, "deploy_stdout": "é" * 300_000 + "END", "deploy_stderr": "short"}
        queue.send(answer(502, forward=True), message=large)
        (message,) = queue.messages
        assert message["deploy_stdout"].endswith("éEND")
        assert "bytes left out" in message["deploy_stdout"]
        assert message["deploy_stderr"] == "short"
        assert message["output"] == "ümlaut"


class TestKeystone:
    @each({name: action for name, action in PASSING.items() if name != "no HTTP"})
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_before_anything_was_sent(
        self, queue: Queue, identity: Wire, action: Action
    ) -> None:
        identity.plan([action])
        queue.send()
        assert queue.messages == [RESULT]
        assert [exchange.method for exchange in queue.wire.history] == ["POST"]


class TestHeat:
    @pytest.fixture
    def wire(self, lab: Lab, reroute: Reroute) -> Iterator[Wire]:
        with Wire(address(lab.endpoints["orchestration"])) as wire:
            reroute("orchestration", wire)
            yield wire

    @pytest.fixture
    def values(self, deployments: Deployments) -> dict[str, Any]:
        return deployments.values("heat")

    def test_a_result_arrives_over_a_bad_wire(
        self, wire: Wire, deployments: Deployments, values: dict[str, Any]
    ) -> None:
        # The second one that reaches Heat does no harm: it waits for one only.
        wire.plan([RESET, answer(502), LOSE_ANSWER])
        accepted_by = send(values, RESULT)
        assert accepted_by == wire.url + wire.history[-1].path
        assert [exchange.forwarded for exchange in wire.history] == [None, None, 200, 200]
        assert deployments.result("heat") == RESULT

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(
        self, wire: Wire, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action] * retry.TRIES)
        error = refusal(lambda: send(values, RESULT), values)
        assert error.retry
        assert len(wire.history) == retry.TRIES


class TestSignedUrl:
    @pytest.fixture
    def wire(self, deployments: Deployments) -> Iterator[Wire]:
        with Wire(address(deployments.values("cfn")["deploy_signal_id"])) as wire:
            yield wire

    @pytest.fixture
    def values(self, deployments: Deployments, wire: Wire) -> dict[str, Any]:
        values = deployments.values("cfn")
        url = urlsplit(values["deploy_signal_id"])
        values["deploy_signal_id"] = f"{wire.url}{url.path}?{url.query}"
        return values

    def test_a_result_arrives_over_a_bad_wire(
        self, wire: Wire, deployments: Deployments, values: dict[str, Any]
    ) -> None:
        wire.plan([answer(503), RESET, LOSE_ANSWER])
        accepted_by = send(values, RESULT)
        assert accepted_by == f"POST {wire.url}{urlsplit(values['deploy_signal_id']).path}"
        assert [exchange.forwarded for exchange in wire.history] == [None, None, 200, 200]
        assert deployments.result("cfn") == RESULT

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(
        self, wire: Wire, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action] * retry.TRIES)
        error = refusal(lambda: send(values, RESULT), values)
        assert error.retry
        assert len(wire.history) == retry.TRIES
        # The connection is kept as long as it can be.
        assert wire.connections == (1 if action.status else retry.TRIES)
