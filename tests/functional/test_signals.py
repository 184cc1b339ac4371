# SPDX-License-Identifier: Apache-2.0
"""Each sender over a wire that breaks, to the real Keystone, Zaqar and Heat.

What is asserted of each fault is what is known after it, since all that follows is
decided by that; and what has become of the result.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heat_config import redact, settings, signals
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.result import from_dict
from heat_config.signals import zaqar
from lab import Lab
from lab.wire import FORWARD, LOSE_ANSWER, RESET, Action, Wire, answer
from tests.support.faults import (
    AMBIGUOUS,
    BAD_CONTENT,
    NOT_THE_SERVICE,
    PASSING,
    REFUSED,
    each,
    known_after,
)
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


def post(values: dict[str, Any], message: dict[str, Any] = RESULT) -> str:
    """Send a result once, as small as the sender wants it."""
    made = signals.sender_of(values, "c1", SETTINGS, Path("/nonexistent"))
    return made.post(from_dict(message).fitted(made.limit, "/log/c1.log"))


def refusal(ask: Callable[[], object], values: dict[str, Any]) -> CloudError:
    """The error of what was not served; it tells no secret."""
    with pytest.raises(CloudError) as raised:
        ask()
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

    def sender(self, config_id: str = "c1") -> zaqar.Queue:
        made = signals.sender_of(self.values, config_id, SETTINGS, Path("/nonexistent"))
        assert isinstance(made, zaqar.Queue)
        return made

    def post(
        self, *actions: Action, message: dict[str, Any] | None = None, config_id: str = "c1"
    ) -> str:
        self.wire.plan(actions)
        return self.sender(config_id).post(from_dict(message or RESULT))

    def refuses(self, *actions: Action, **options: Any) -> CloudError:
        return refusal(lambda: self.post(*actions, **options), self.values)

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


class TestPost:
    def test_a_result_arrives_as_it_is(self, queue: Queue) -> None:
        assert queue.post() == f"queue {queue.name} at {queue.wire.url}"
        assert queue.messages == [RESULT]

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_what_has_not_arrived_is_not_found(self, queue: Queue, action: Action) -> None:
        error = queue.refuses(action)
        assert error.outcome is known_after(action)
        assert queue.wire.url in str(error)
        assert queue.sender().find() is Outcome.ABSENT
        assert len(queue.wire.requests("POST")) == 1
        queue.post()
        assert queue.messages == [RESULT]

    @each(AMBIGUOUS)
    @pytest.mark.usefixtures("short_stall")
    def test_what_has_arrived_all_the_same_is_found(self, queue: Queue, action: Action) -> None:
        assert queue.refuses(action).outcome is Outcome.UNKNOWN
        assert queue.sender().find() is Outcome.PRESENT
        assert queue.messages == [RESULT]
        assert [exchange.method for exchange in queue.wire.history] == ["POST", "GET"]

    def test_behind_a_closed_port_nothing_was_sent(self, queue: Queue) -> None:
        queue.wire.close_port()
        assert queue.refuses().outcome is Outcome.UNREACHABLE
        queue.wire.open_port()
        queue.post()
        assert queue.messages == [RESULT]

    @each(REFUSED)
    def test_a_refusal(self, queue: Queue, action: Action) -> None:
        # For a 401 there is a new token and a second request.
        error = queue.refuses(action, action)
        assert error.outcome is Outcome.REFUSED
        assert f"queue {queue.name} at {queue.wire.url} answered {action.status}" in str(error)
        assert queue.messages == []
        assert len(queue.wire.history) == (2 if action.status == 401 else 1)

    @each(BAD_CONTENT)
    def test_a_content_that_is_refused(self, queue: Queue, action: Action) -> None:
        error = queue.refuses(action)
        assert error.outcome is Outcome.CONTENT_REFUSED
        assert "no such thing" in str(error)

    def test_an_integer_that_zaqar_does_not_take(self, queue: Queue) -> None:
        error = queue.refuses(message={**RESULT, "output": 2**64})
        assert error.outcome is Outcome.CONTENT_REFUSED
        assert "too large" in str(error)
        assert queue.messages == []

    def test_more_than_zaqar_takes(self, queue: Queue) -> None:
        large = {**RESULT, "deploy_stdout": "x" * 300_000}
        assert queue.refuses(message=large).outcome is Outcome.TOO_LARGE
        assert queue.refuses(answer(413)).outcome is Outcome.TOO_LARGE
        assert queue.messages == []

    def test_a_result_of_just_the_limit_is_accepted(self, queue: Queue) -> None:
        room = zaqar.LIMIT - len(from_dict({**RESULT, "deploy_stdout": ""}).as_json())
        queue.post(message={**RESULT, "deploy_stdout": "x" * room})
        assert len(queue.messages[0]["deploy_stdout"]) == room

    def test_a_long_reason_is_cut(self, queue: Queue) -> None:
        assert len(str(queue.refuses(answer(404, b"<html>" + b"x" * 100_000)))) < 1000

    @each(NOT_THE_SERVICE)
    def test_a_success_that_is_none_of_zaqars(self, queue: Queue, action: Action) -> None:
        assert queue.refuses(action).outcome is Outcome.UNKNOWN
        assert queue.messages == []

    def test_a_redirection_to_a_login_page_is_no_success(self, queue: Queue) -> None:
        to_login = answer(302, headers=[f"Location: {queue.wire.url}/login"])
        assert queue.refuses(to_login).outcome is Outcome.UNREACHABLE
        assert len(queue.wire.history) == 1

    def test_connections_are_kept_and_one_token_serves_them_all(
        self, queue: Queue, identity: Wire
    ) -> None:
        for action in (answer(429), answer(503), answer(502, forward=True)):
            queue.refuses(action)
        assert queue.sender().find() is Outcome.PRESENT
        assert queue.wire.connections == 1
        assert len(identity.requests("POST")) == 1

    def test_a_name_that_no_queue_can_have(self, queue: Queue) -> None:
        queue.values["deploy_queue_id"] = "a/../b"
        error = queue.refuses()
        assert error.outcome is Outcome.UNUSABLE
        assert "'a/../b'" in str(error)
        assert queue.wire.history == []


OTHER = {**RESULT, "deploy_stdout": "other"}


class TestFindAndRemove:
    def test_anothers_message_is_not_taken_for_it_nor_removed(self, queue: Queue) -> None:
        queue.post(message=OTHER, config_id="c2")
        assert queue.sender().find() is Outcome.ABSENT
        queue.sender().remove()
        assert queue.messages == [OTHER]
        queue.post()
        assert queue.sender().find() is Outcome.PRESENT
        queue.sender().remove()
        assert queue.messages == [OTHER]

    def test_it_is_found_and_removed_behind_many_others(self, queue: Queue) -> None:
        for _ in range(45):
            queue.post(message=OTHER, config_id="c2")
        queue.post()
        assert queue.sender().find() is Outcome.PRESENT
        queue.sender().remove()
        assert queue.sender().find() is Outcome.ABSENT
        assert queue.sender("c2").find() is Outcome.PRESENT

    def test_each_copy_is_removed(self, queue: Queue) -> None:
        for _ in range(3):
            queue.post()
        queue.sender().remove()
        assert queue.messages == []

    def test_what_is_equal_to_nothing_is_found_too(self, queue: Queue) -> None:
        queue.post(message={**RESULT, "output": float("nan")})
        assert queue.sender().find() is Outcome.PRESENT

    def test_a_queue_that_was_never_made(self, queue: Queue) -> None:
        assert queue.sender().find() is Outcome.ABSENT
        queue.sender().remove()

    @each({**PASSING, **REFUSED, **NOT_THE_SERVICE})
    @pytest.mark.usefixtures("short_stall")
    def test_a_queue_that_cannot_be_looked_at_is_not_empty(
        self, queue: Queue, action: Action
    ) -> None:
        queue.post()
        queue.wire.plan([action, action])
        refusal(queue.sender().find, queue.values)
        queue.wire.plan([action, action])
        refusal(queue.sender().remove, queue.values)
        queue.wire.plan([])
        assert queue.messages == [RESULT]

    @pytest.mark.parametrize("fault", [RESET, LOSE_ANSWER, answer(503), answer(302)])
    def test_a_deletion_that_fails_is_an_error_and_can_be_repeated(
        self, queue: Queue, fault: Action
    ) -> None:
        queue.post()
        sender = queue.sender()
        # Two looks: one at the message, one that shows that there are no more.
        queue.wire.plan([FORWARD, FORWARD, fault])
        refusal(sender.remove, queue.values)
        assert queue.wire.history[-1].method == "DELETE"
        sender.remove()
        assert queue.messages == []


class TestKeystone:
    @each({name: action for name, action in PASSING.items() if name != "no HTTP"})
    @pytest.mark.usefixtures("short_stall")
    def test_its_trouble_means_that_nothing_was_sent(
        self, queue: Queue, identity: Wire, action: Action
    ) -> None:
        identity.plan([action])
        error = queue.refuses()
        assert error.outcome is Outcome.UNREACHABLE
        assert f"Keystone at {identity.url}" in str(error)
        assert queue.wire.history == []

    def test_a_port_that_is_closed_is_named(self, queue: Queue, identity: Wire) -> None:
        identity.close_port()
        error = queue.refuses()
        assert error.outcome is Outcome.UNREACHABLE
        assert f"Keystone at {identity.url}" in str(error)

    @each({**REFUSED, **BAD_CONTENT})
    def test_its_refusal(self, queue: Queue, identity: Wire, action: Action) -> None:
        identity.plan([action])
        error = queue.refuses()
        assert error.outcome is Outcome.REFUSED
        assert f"Keystone at {identity.url}/v3/ answered {action.status}" in str(error)

    def test_a_wrong_password_is_named_and_not_told(self, queue: Queue) -> None:
        queue.values["deploy_password"] += "-wrong"
        error = queue.refuses()
        assert error.outcome is Outcome.REFUSED
        assert "Keystone at" in str(error)
        assert "401" in str(error)

    @pytest.mark.parametrize(
        "body", [b"<html>Please log in</html>", b"{}", b'{"token": {}}', b"[]"]
    )
    def test_what_is_no_keystone(self, queue: Queue, identity: Wire, body: bytes) -> None:
        identity.plan([answer(200, body)] * 2)
        error = queue.refuses()
        assert error.outcome is Outcome.UNREACHABLE
        assert identity.url in str(error)

    def test_an_unknown_region_is_named(self, queue: Queue) -> None:
        queue.values["deploy_region_name"] = "Nowhere"
        error = queue.refuses()
        assert error.outcome is Outcome.UNREACHABLE
        assert "'messaging' in region Nowhere" in str(error)

    def test_an_expired_token_is_renewed(self, queue: Queue, identity: Wire) -> None:
        queue.post(answer(401))
        assert queue.messages == [RESULT]
        assert len(identity.requests("POST")) == 2

    def test_trouble_with_a_new_token_is_keystones(self, queue: Queue, identity: Wire) -> None:
        queue.post()
        identity.plan([answer(503)])
        error = queue.refuses(answer(401))
        assert error.outcome is Outcome.UNREACHABLE
        assert f"Keystone at {identity.url}/v3/ answered 503" in str(error)


class TestHeat:
    @pytest.fixture
    def wire(self, lab: Lab, reroute: Reroute) -> Iterator[Wire]:
        with Wire(address(lab.endpoints["orchestration"])) as wire:
            reroute("orchestration", wire)
            yield wire

    @pytest.fixture
    def values(self, deployments: Deployments) -> dict[str, Any]:
        return deployments.values("heat")

    def test_a_result_that_arrives_twice_does_no_harm(
        self, wire: Wire, deployments: Deployments, values: dict[str, Any]
    ) -> None:
        wire.plan([LOSE_ANSWER])
        assert refusal(lambda: post(values), values).outcome is Outcome.UNKNOWN
        second = {**RESULT, "deploy_stdout": "second"}
        assert post(values, second) == wire.url + wire.history[-1].path
        assert [exchange.forwarded for exchange in wire.history] == [200, 200]
        assert deployments.result("heat") == RESULT

    def test_it_is_the_fallback_of_whatever_has_a_user(self, wire: Wire, values: Any) -> None:
        address = {**values, "deploy_queue_id": "q"}
        wire.plan([answer(403)])
        made = signals.heat_of(address, SETTINGS)
        assert refusal(lambda: made.post(from_dict(RESULT)), values).outcome is Outcome.REFUSED

    def test_a_result_above_the_limit_arrives_trimmed(
        self, wire: Wire, deployments: Deployments
    ) -> None:
        large = {**RESULT, "deploy_stdout": "x" * 2_000_000 + "END"}
        post(deployments.values("heat-large"), large)
        result = deployments.result("heat-large")
        assert result["deploy_stdout"].endswith("xEND")
        assert 1_000_000 < len(result["deploy_stdout"]) < 1_048_576
        assert len(wire.history) == 1

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_on_the_way(self, wire: Wire, values: dict[str, Any], action: Action) -> None:
        wire.plan([action])
        assert refusal(lambda: post(values), values).outcome is known_after(action)
        assert len(wire.history) == 1

    @each(REFUSED)
    def test_a_refusal(self, wire: Wire, values: dict[str, Any], action: Action) -> None:
        wire.plan([action] * 2)
        error = refusal(lambda: post(values), values)
        assert error.outcome is Outcome.REFUSED
        assert f"answered {action.status}" in str(error)
        assert wire.url in str(error)

    def test_heats_own_reason_is_told(self, wire: Wire, values: dict[str, Any]) -> None:
        values["deploy_resource_name"] = "nonesuch"
        error = refusal(lambda: post(values), values)
        assert error.outcome is Outcome.REFUSED
        assert "answered 404: The Resource (nonesuch) could not be found" in str(error)
        assert len(wire.history) == 1

    @each({**NOT_THE_SERVICE, "redirection": answer(302)})
    def test_a_success_that_is_none_of_heats(
        self, wire: Wire, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action])
        expected = Outcome.UNREACHABLE if action.status == 302 else Outcome.UNKNOWN
        assert refusal(lambda: post(values), values).outcome is expected


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

    def test_a_result_that_arrives_twice_does_no_harm(
        self, wire: Wire, deployments: Deployments, values: dict[str, Any]
    ) -> None:
        wire.plan([LOSE_ANSWER])
        assert refusal(lambda: post(values), values).outcome is Outcome.UNKNOWN
        second = {**RESULT, "deploy_stdout": "second"}
        assert post(values, second) == (
            f"POST {wire.url}{urlsplit(values['deploy_signal_id']).path}"
        )
        assert [exchange.forwarded for exchange in wire.history] == [200, 200]
        assert deployments.result("cfn") == RESULT

    def test_a_wrong_signature_is_a_refusal(self, wire: Wire, values: dict[str, Any]) -> None:
        values["deploy_signal_id"] = values["deploy_signal_id"].replace("Signature=", "Signature=x")
        error = refusal(lambda: post(values), values)
        assert error.outcome is Outcome.REFUSED
        assert "answered 403" in str(error)
        assert [exchange.forwarded for exchange in wire.history] == [403]

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_on_the_way(self, wire: Wire, values: dict[str, Any], action: Action) -> None:
        wire.plan([action])
        assert refusal(lambda: post(values), values).outcome is known_after(action)
        assert len(wire.history) == 1

    def test_behind_a_closed_port_nothing_was_sent(
        self, wire: Wire, values: dict[str, Any]
    ) -> None:
        wire.close_port()
        assert refusal(lambda: post(values), values).outcome is Outcome.UNREACHABLE
        wire.open_port()

    def test_the_connection_is_kept_as_long_as_it_can_be(
        self, wire: Wire, values: dict[str, Any]
    ) -> None:
        wire.plan([answer(503)] * 3)
        made = signals.sender_of(values, "c1", SETTINGS, Path("/nonexistent"))
        for _ in range(3):
            refusal(lambda: made.post(from_dict(RESULT)), values)
        assert len(wire.history) == 3
        assert wire.connections == 1

    @each(REFUSED)
    @pytest.mark.parametrize("verb", ["POST", "PUT"])
    def test_a_refusal(self, wire: Wire, values: dict[str, Any], action: Action, verb: str) -> None:
        wire.plan([action] * 2)
        values["deploy_signal_verb"] = verb
        error = refusal(lambda: post(values), values)
        assert error.outcome is Outcome.REFUSED
        assert f"{verb} {wire.url}" in str(error)
        assert f"answered {action.status}" in str(error)
        assert len(wire.history) == 1

    @pytest.mark.parametrize("status", [301, 302, 307])
    @pytest.mark.parametrize("verb", ["POST", "PUT"])
    def test_a_redirection_is_not_followed(
        self, wire: Wire, values: dict[str, Any], status: int, verb: str
    ) -> None:
        wire.plan([answer(status, headers=[f"Location: {wire.url}/login"])])
        values["deploy_signal_verb"] = verb
        error = refusal(lambda: post(values), values)
        assert error.outcome is Outcome.UNREACHABLE
        assert f"answered {status}" in str(error)
        assert len(wire.history) == 1

    @pytest.mark.parametrize("verb", ["GET", "DELETE", "X: y\r\nPUT", ["PUT"]])
    def test_another_verb_is_not_used(
        self, wire: Wire, values: dict[str, Any], verb: object
    ) -> None:
        values["deploy_signal_verb"] = verb
        error = refusal(lambda: post(values), values)
        assert error.outcome is Outcome.UNUSABLE
        assert "deploy_signal_verb" in str(error)
        assert wire.history == []
