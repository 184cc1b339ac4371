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

from heat_config import deployment, redact, settings, signals
from heat_config.cloud import http, keystone
from heat_config.cloud.errors import CloudError
from heat_config.delivery.outbox import Entry
from heat_config.result import from_dict
from heat_config.signals import retry, zaqar
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from lab.wire import (
    GARBAGE,
    LOSE_ANSWER,
    RESET,
    STALL,
    Action,
    Reply,
    Wire,
    answer,
)
from tests.support.template import template
from tests.support.user import DemoUser
from tests.support.wires import address

SETTINGS = settings.load({"HEAT_CONFIG_SETTINGS": "/nonexistent"})
RESULT = {
    "deploy_stdout": "größe: 日本 \U0001f600 \t\0 \\u00e9\n",
    "deploy_stderr": "",
    "deploy_status_code": 0,
    "output": "ümlaut",
}

# The request has not reached the service, and a later one may.
PASSING = {
    "reset": RESET,
    "no HTTP": GARBAGE,
    "stall": STALL,
    "429": answer(429),
    "500": answer(500),
    "502": answer(502, b"<html>Bad Gateway</html>"),
    "503": answer(503),
    "504": answer(504),
}
# The service has the result, and the agent is not told.
AMBIGUOUS = {
    "reset": LOSE_ANSWER,
    "no HTTP": Action(True, GARBAGE.reply),
    "stall": Action(True, Reply.STALL),
    "500": answer(500, forward=True),
    "502": answer(502, forward=True),
    "504": answer(504, forward=True),
}
# Nothing that a later try would change.
REFUSED = {
    "401": answer(401),
    "403": answer(403),
    "404": answer(404),
}
# The result itself is refused; another may be accepted.
BAD_CONTENT = {
    "400": answer(400, b'{"title": "Bad", "description": "no such thing"}'),
}
# What is in between answers in the service's name.
NOT_THE_SERVICE = {
    "login page": answer(200, b"<html>Please log in</html>"),
    "nothing": answer(200),
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


def each(actions: dict[str, Action]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("action", actions.values(), ids=actions.keys())


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


@pytest.fixture(scope="module")
def user(lab: Lab) -> DemoUser:
    return DemoUser(lab)


@pytest.fixture(autouse=True)
def nothing_secret_is_written(capfd: pytest.CaptureFixture[str], user: DemoUser) -> Iterator[None]:
    yield
    assert user.values["deploy_password"] not in "".join(capfd.readouterr())


@pytest.fixture
def short_stall(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stall is noticed soon; what does not stall may take its time on a busy machine."""
    if action.reply is Reply.STALL:
        monkeypatch.setattr(http, "TIMEOUT", 1.0)


Reroute = Callable[[str, Wire], None]


@pytest.fixture
def reroute(monkeypatch: pytest.MonkeyPatch) -> Reroute:
    """Let the agent find a service of the catalog at the other end of a wire."""
    looked_up = keystone.User.endpoint

    def install(service_type: str, wire: Wire) -> None:
        def endpoint(self: keystone.User, wanted: str) -> str:
            url = urlsplit(looked_up(self, wanted))
            assert wanted == service_type
            return wire.url + url.path

        monkeypatch.setattr(keystone.User, "endpoint", endpoint)

    return install


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
    def test_a_result_arrives_as_it_is(self, queue: Queue) -> None:
        assert queue.send() == f"queue {queue.name} at {queue.wire.url}"
        assert queue.messages == [RESULT]

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

    def test_what_is_equal_to_nothing_is_found_too(self, queue: Queue) -> None:
        queue.send(LOSE_ANSWER, message={**RESULT, "output": float("nan")})
        assert len(queue.messages) == 1

    def test_anothers_message_is_not_taken_for_it(self, queue: Queue) -> None:
        other = {**RESULT, "deploy_stdout": "other"}
        queue.send(message=other, config_id="c2")
        queue.send(RESET)
        assert queue.messages == [other, RESULT]

    @each(REFUSED)
    def test_a_refusal_is_an_error_and_not_repeated(self, queue: Queue, action: Action) -> None:
        # For a 401 the session gets a new token and tries once more.
        error = queue.refuses(action, action)
        assert not error.retry
        assert str(action.status) in str(error)
        assert queue.name in str(error) or queue.wire.url in str(error)
        assert queue.messages == []
        assert len(queue.wire.history) == (2 if action.status == 401 else 1)

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

    def test_a_reason_is_told(self, queue: Queue) -> None:
        assert "no such thing" in str(queue.refuses(BAD_CONTENT["400"]))

    def test_a_long_reason_is_cut(self, queue: Queue) -> None:
        assert len(str(queue.refuses(answer(404, b"<html>" + b"x" * 100_000)))) < 1000

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

    @each(NOT_THE_SERVICE)
    def test_a_success_that_is_none_of_zaqars_is_an_error(
        self, queue: Queue, action: Action
    ) -> None:
        # Each try but the first looks for the message and then posts it.
        assert queue.refuses(*[action] * retry.TRIES * 2).retry
        assert queue.messages == []

    def test_a_redirection_to_a_login_page_is_no_success(self, queue: Queue) -> None:
        to_login = answer(301, headers=[f"Location: {queue.wire.url}/login"])
        queue.refuses(*[to_login, NOT_THE_SERVICE["login page"]] * retry.TRIES)

    def test_an_expired_token_is_renewed(self, queue: Queue, identity: Wire) -> None:
        queue.send(answer(401))
        assert queue.messages == [RESULT]
        assert len(identity.requests("POST")) == 2

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

    def test_a_result_of_just_the_limit_is_accepted(self, queue: Queue) -> None:
        queue.send(message={**RESULT, "deploy_stdout": "x" * zaqar.LIMIT})
        assert len(queue.messages) == 1

    def test_a_name_that_no_queue_can_have(self, queue: Queue) -> None:
        queue.values["deploy_queue_id"] = "a/../b"
        assert "deploy_queue_id" in str(queue.refuses())


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

    @pytest.mark.parametrize(
        "body", [b"<html>Please log in</html>", b"{}", b'{"token": {}}', b"[]"]
    )
    def test_what_is_no_keystone(self, queue: Queue, identity: Wire, body: bytes) -> None:
        identity.plan([answer(200, body)] * retry.TRIES)
        assert identity.url in str(queue.refuses())

    def test_an_unknown_region_is_named(self, queue: Queue) -> None:
        queue.values["deploy_region_name"] = "Nowhere"
        error = str(queue.refuses())
        assert "'messaging' in region Nowhere" in error

    def test_a_wrong_password_is_named_and_not_told(self, queue: Queue) -> None:
        queue.values["deploy_password"] += "-wrong"
        error = queue.refuses()
        assert not error.retry
        assert "Keystone at" in str(error)
        assert "401" in str(error)

    def test_a_service_that_is_away_is_named(self, queue: Queue, identity: Wire) -> None:
        identity.close_port()
        error = queue.refuses()
        assert error.retry
        assert f"Keystone at {identity.url}" in str(error)


class Deployments:
    """A stack's deployments as its server sees them, and what Heat knows of them."""

    def __init__(self, heat: Heat, stack: Stack) -> None:
        self._api = heat.api.software_deployments
        self._server = heat.api.resources.get(stack.id, "server").physical_resource_id
        wanted = len(SIGNALS)

        def all_there() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self._api.metadata(server_id=self._server)
            return found if len(found) == wanted else None

        items = wait_for("the server's deployments", all_there)
        self._found = {item["name"]: deployment.read(item) for item in items}

    def values(self, name: str) -> dict[str, Any]:
        return dict(self._found[name].values)

    def result(self, name: str) -> dict[str, Any]:
        """What Heat has been told, once it has been told."""

        def output_values() -> dict[str, Any] | None:
            for found in self._api.list(server_id=self._server):
                if found.config_id == self._found[name].id:
                    values: dict[str, Any] | None = found.output_values
                    return values
            return None

        return dict(wait_for(f"the result of {name}", output_values))


# Each result can be sent once: one deployment for each test that succeeds.
SIGNALS = {
    "heat": "HEAT_SIGNAL",
    "heat-large": "HEAT_SIGNAL",
    "cfn": "CFN_SIGNAL",
}


@pytest.fixture(scope="module")
def deployments(heat: Heat) -> Iterator[Deployments]:
    wanted = template(
        server_transport="POLL_SERVER_HEAT",
        signal_transport="HEAT_SIGNAL",
        deployments={name: {"config": "", "outputs": [{"name": "output"}]} for name in SIGNALS},
    )
    for name, transport in SIGNALS.items():
        properties = wanted["resources"][f"{name}_deployment"]["properties"]
        properties["signal_transport"] = transport
    stack = heat.create(f"test-signals-{uuid.uuid4().hex[:8]}", wanted)
    stack.wait_for_server()
    yield Deployments(heat, stack)
    stack.delete()


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

    def test_a_result_above_the_limit_arrives_trimmed(
        self, wire: Wire, deployments: Deployments
    ) -> None:
        large = {**RESULT, "deploy_stdout": "x" * 2_000_000 + "END"}
        send(deployments.values("heat-large"), large)
        result = deployments.result("heat-large")
        assert result["deploy_stdout"].endswith("xEND")
        assert 1_000_000 < len(result["deploy_stdout"]) < 1_048_576
        assert len(wire.history) == 1

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(
        self, wire: Wire, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action] * retry.TRIES)
        error = refusal(lambda: send(values, RESULT), values)
        assert error.retry
        assert len(wire.history) == retry.TRIES

    @each(REFUSED)
    def test_a_refusal_is_an_error_and_not_repeated(
        self, wire: Wire, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action] * 2)
        error = refusal(lambda: send(values, RESULT), values)
        assert not error.retry
        assert f"answered {action.status}" in str(error)
        assert wire.url in str(error)

    def test_heats_own_reason_is_told(self, wire: Wire, values: dict[str, Any]) -> None:
        values["deploy_resource_name"] = "nonesuch"
        error = refusal(lambda: send(values, RESULT), values)
        assert "answered 404: The Resource (nonesuch) could not be found" in str(error)
        assert len(wire.history) == 1

    @each(NOT_THE_SERVICE)
    def test_a_success_that_is_none_of_heats_is_an_error(
        self, wire: Wire, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action] * retry.TRIES)
        assert refusal(lambda: send(values, RESULT), values).retry


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

    def test_a_wrong_signature_is_a_refusal(self, wire: Wire, values: dict[str, Any]) -> None:
        values["deploy_signal_id"] = values["deploy_signal_id"].replace("Signature=", "Signature=x")
        error = refusal(lambda: send(values, RESULT), values)
        assert not error.retry
        assert "answered 403" in str(error)
        assert [exchange.forwarded for exchange in wire.history] == [403]

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

    @each(REFUSED)
    @pytest.mark.parametrize("verb", ["POST", "PUT"])
    def test_a_refusal_is_an_error_and_not_repeated(
        self, wire: Wire, values: dict[str, Any], action: Action, verb: str
    ) -> None:
        wire.plan([action] * 2)
        values["deploy_signal_verb"] = verb
        error = refusal(lambda: send(values, RESULT), values)
        assert not error.retry
        assert f"{verb} {wire.url}" in str(error)
        assert f"answered {action.status}" in str(error)
        assert len(wire.history) == 1

    @pytest.mark.parametrize("status", [301, 302, 307])
    @pytest.mark.parametrize("verb", ["POST", "PUT"])
    def test_a_redirection_is_no_success(
        self, wire: Wire, values: dict[str, Any], status: int, verb: str
    ) -> None:
        to_login = answer(status, headers=[f"Location: {wire.url}/login"])
        wire.plan([to_login, NOT_THE_SERVICE["login page"]])
        values["deploy_signal_verb"] = verb
        error = refusal(lambda: send(values, RESULT), values)
        assert f"answered {status}" in str(error)

    @pytest.mark.parametrize("verb", ["GET", "DELETE", "X: y\r\nPUT", ["PUT"]])
    def test_another_verb_is_not_used(
        self, wire: Wire, values: dict[str, Any], verb: object
    ) -> None:
        values["deploy_signal_verb"] = verb
        error = refusal(lambda: send(values, RESULT), values)
        assert "deploy_signal_verb" in str(error)
        assert wire.history == []
