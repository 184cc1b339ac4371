# SPDX-License-Identifier: Apache-2.0
"""Results on their way over wires that break, to the real Keystone, Zaqar and Heat.

What is asserted of each fault: in which stage a result stays, and what Heat finds in the
end. Heat takes the first message on a queue as the result of the deployment, and one that
is left there as that of the next update: so a result is on the queue, or Heat is notified,
and never both.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heat_config import redact, signals
from heat_config.cloud.errors import Outcome
from heat_config.delivery.entry import Stage
from heat_config.delivery.policy import CONTENT_REFUSALS, REFUSALS, ROUND
from heat_config.result import from_dict
from lab import Lab
from lab.stack import Heat
from lab.wire import FORWARD, LOSE_ANSWER, RESET, Action, Wire, answer
from tests.support.faults import AMBIGUOUS, BAD_CONTENT, PASSING, each, known_after
from tests.support.office import Office
from tests.support.signalled import Deployments, signalled
from tests.support.user import StackUser
from tests.support.wires import Reroute, address

RESULT = {
    "deploy_stdout": "größe: 日本 \U0001f600 \t\0 \\u00e9\n",
    "deploy_stderr": "",
    "deploy_status_code": 0,
    "output": "ümlaut",
}
# A gateway has lost a POST on its way to Zaqar, and says that it does not know.
LOST = answer(504)
# Each result can be sent once: one deployment for each test that asks Heat for it.
SIGNALS = {
    **dict.fromkeys(("heat", "resource", "away", "refusing", "late", "untaken"), "HEAT_SIGNAL"),
    "cfn": "CFN_SIGNAL",
    "taken": "ZAQAR_SIGNAL",
}


@pytest.fixture(scope="module")
def deployments(heat: Heat) -> Iterator[Deployments]:
    with signalled(heat, SIGNALS) as made:
        yield made


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


class Way:
    """A result's way: from a server's outbox to a queue and to Heat, each over a wire.

    The queue is one that the deployment's own user has made, and from which nobody takes
    anything. Heat waits to be notified.
    """

    def __init__(self, office: Office, user: StackUser, zaqar: Wire, heat: Wire) -> None:
        self._user = user
        self.office = office
        self.zaqar = zaqar
        self.heat = heat
        self.queue = f"test-{uuid.uuid4().hex}"
        self.address = {**user.values, "deploy_queue_id": self.queue}

    def send(
        self, *actions: Action, message: dict[str, Any] = RESULT, forced: bool = False
    ) -> None:
        """Send a result as a run does; ``actions`` befall its requests to Zaqar."""
        self.zaqar.plan(actions)
        self.office.send(self.address, message, forced=forced)

    def put_on_queue(self) -> None:
        """What arrives late, or was left behind: a copy of the result."""
        found = signals.queue_of(self.address, self.office.config_id, self.office.settings)
        found.post(from_dict(RESULT))

    @property
    def requests(self) -> list[str]:
        """What Zaqar was asked."""
        return [exchange.method for exchange in self.zaqar.history]

    @property
    def messages(self) -> list[Any]:
        return self._user.messages(self.queue)

    @property
    def notified(self) -> int:
        """How often Heat was."""
        return [exchange.forwarded for exchange in self.heat.history].count(200)

    def stays(self, stage: Stage, problem: str) -> bool:
        """Whether the result is pending in this stage, with this problem and no secret in it."""
        return stays(self.office, stage, problem)


def stays(office: Office, stage: Stage, problem: str) -> bool:
    entry = office.entry()
    secrets = redact.secrets_in(entry.address)
    assert not [secret for secret in secrets if secret in entry.problem]
    assert problem in entry.problem
    return entry.stage is stage


@pytest.fixture(autouse=True)
def nothing_secret_is_written(
    capfd: pytest.CaptureFixture[str], deployments: Deployments
) -> Iterator[None]:
    yield
    written = "".join(capfd.readouterr())
    secrets = {each for name in SIGNALS for each in redact.secrets_in(deployments.values(name))}
    assert not [secret for secret in secrets if secret in written]


class Ways:
    """Makes them, with both wires in the catalog's place."""

    def __init__(
        self, lab: Lab, office: Office, deployments: Deployments, zaqar: Wire, heat: Wire
    ) -> None:
        self._lab = lab
        self._office = office
        self._deployments = deployments
        self._wires = zaqar, heat

    def of(self, name: str) -> Way:
        user = StackUser(self._lab, self._deployments.values(name))
        return Way(self._office, user, *self._wires)


@pytest.fixture
def ways(lab: Lab, office: Office, deployments: Deployments, reroute: Reroute) -> Iterator[Ways]:
    with (
        Wire(address(lab.endpoints["messaging"])) as zaqar,
        Wire(address(lab.endpoints["orchestration"])) as heat,
    ):
        reroute("messaging", zaqar)
        reroute("orchestration", heat)
        yield Ways(lab, office, deployments, zaqar, heat)


@pytest.fixture
def way(ways: Ways) -> Way:
    """Of a deployment that may have its result already: Heat accepts whatever comes."""
    return ways.of("heat")


@pytest.fixture
def identity(lab: Lab, way: Way) -> Iterator[Wire]:
    """Keystone at the other end of a wire of its own."""
    with Wire(address(lab.auth_url)) as wire:
        way.address["deploy_auth_url"] = f"{wire.url}/v3/"
        yield wire


class TestZaqar:
    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_a_moments_trouble_is_tried_again(self, way: Way, action: Action) -> None:
        way.send(action)
        assert way.office.is_empty()
        # Where it may have arrived, Heat knows whether it has; else it is simply posted again.
        is_posted = known_after(action) is Outcome.UNREACHABLE
        assert (way.messages, way.notified) == (([RESULT], 0) if is_posted else ([], 1))
        assert len(way.zaqar.requests("POST")) == (2 if is_posted else 1)

    @each(AMBIGUOUS)
    @pytest.mark.usefixtures("short_stall")
    def test_a_result_whose_answer_was_lost_is_not_sent_twice(
        self, way: Way, action: Action
    ) -> None:
        way.send(action)
        assert way.office.is_empty()
        assert (way.messages, way.notified) == ([RESULT], 0)
        assert way.requests == ["POST", "GET"]

    def test_that_it_is_there_is_found_out_in_trouble_too(self, way: Way) -> None:
        way.send(LOSE_ANSWER, answer(503), RESET)
        assert way.office.is_empty()
        assert (way.messages, way.notified) == ([RESULT], 0)
        assert way.requests == ["POST", "GET", "GET", "GET"]

    @each(BAD_CONTENT)
    def test_a_content_that_is_refused_becomes_a_failure_that_says_so(
        self, way: Way, action: Action
    ) -> None:
        way.send(*[action] * CONTENT_REFUSALS)
        (message,) = way.messages
        assert message["deploy_status_code"] == 1
        assert f"answered {action.status}" in message["deploy_stderr"]
        assert way.office.is_empty()

    @each(BAD_CONTENT)
    def test_one_refusal_of_a_content_makes_no_failure_of_it(
        self, way: Way, action: Action
    ) -> None:
        way.send(action)
        assert way.messages == [RESULT]

    def test_what_is_small_and_yet_too_large_is_kept_as_it_is(self, way: Way) -> None:
        # Another would be no smaller: something is in between, and passes.
        way.send(answer(413), answer(413))
        assert way.messages == [RESULT]

    def test_an_integer_that_zaqar_does_not_take_fails_with_a_reason(self, way: Way) -> None:
        way.send(message={**RESULT, "output": 2**64})
        (message,) = way.messages
        assert message["deploy_status_code"] == 1
        assert "too large" in message["deploy_stderr"]
        assert way.requests == ["POST"] * (CONTENT_REFUSALS + 1)

    def test_a_limit_below_the_usual_one_leads_to_a_smaller_message(self, way: Way) -> None:
        way.send(answer(413), answer(413), message={**RESULT, "deploy_stdout": "x" * 100_000})
        (message,) = way.messages
        assert message["deploy_status_code"] == 0
        assert 20_000 < len(message["deploy_stdout"]) < 30_000

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(self, way: Way, action: Action) -> None:
        way.send(*[action] * ROUND)
        is_certain = known_after(action) is Outcome.UNREACHABLE
        stage = Stage.NEW if is_certain else Stage.MAYBE_QUEUED
        assert way.stays(stage, way.zaqar.url)
        rest = "POST" if is_certain else "GET"
        assert way.requests == ["POST", *[rest] * (ROUND - 1)]
        assert (way.messages, way.notified) == ([], 0)

    def test_a_closed_port_is_tried_again(self, way: Way) -> None:
        way.zaqar.close_port()
        way.send()
        assert way.stays(Stage.NEW, "does not answer")
        way.zaqar.open_port()
        way.office.timer()
        assert way.office.is_empty()
        assert (way.messages, way.notified) == ([RESULT], 0)

    def test_connections_are_kept_and_one_token_serves_them_all(
        self, way: Way, identity: Wire
    ) -> None:
        way.send(answer(429), LOST, answer(502, forward=True))
        # Two posts, two looks; and since Heat is notified then, two looks for a late copy.
        assert way.requests == ["POST", "POST", *["GET"] * 4]
        assert way.notified == 1
        assert way.zaqar.connections == way.heat.connections == 1
        assert len(identity.requests("POST")) == 1

    def test_a_result_above_the_limit_arrives_trimmed(self, way: Way) -> None:
        large = {**RESULT, "deploy_stdout": "é" * 300_000 + "END", "deploy_stderr": "short"}
        way.send(answer(502, forward=True), message=large)
        (message,) = way.messages
        assert message["deploy_stdout"].endswith("éEND")
        assert "bytes left out" in message["deploy_stdout"]
        assert message["deploy_stderr"] == "short"
        assert message["output"] == "ümlaut"
        assert way.office.is_empty()


class TestKeystone:
    @each({name: action for name, action in PASSING.items() if name != "no HTTP"})
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_before_anything_was_sent(
        self, way: Way, identity: Wire, action: Action
    ) -> None:
        identity.plan([action])
        way.send()
        assert way.office.is_empty()
        assert (way.messages, way.notified) == ([RESULT], 0)
        assert way.requests == ["POST"]


class TestAnotherWay:
    """When a queue does not serve, Heat is notified; when Heat does not, the queue must do."""

    def test_heat_is_notified_when_the_queue_is_away_for_long(
        self, ways: Ways, deployments: Deployments
    ) -> None:
        way = ways.of("away")
        way.zaqar.close_port()
        way.send()
        assert way.stays(Stage.NEW, "does not answer")
        way.office.timers_until(way.office.is_empty)
        way.zaqar.open_port()
        assert deployments.result("away") == RESULT
        assert (way.messages, way.notified) == ([], 1)

    def test_heat_is_notified_when_the_queue_refuses(
        self, ways: Ways, deployments: Deployments
    ) -> None:
        way = ways.of("refusing")
        way.send(*[answer(403)] * REFUSALS)
        assert way.office.is_empty()
        assert deployments.result("refusing") == RESULT
        assert (way.messages, way.notified) == ([], 1)
        assert way.requests == ["POST"] * REFUSALS

    def test_a_queue_that_comes_back_before_heat_does_is_used(self, way: Way) -> None:
        way.zaqar.close_port()
        way.heat.close_port()
        way.send()
        way.office.timers_until(lambda: way.heat.url in way.office.entry().problem)
        assert way.office.entry().stage is Stage.NEW
        way.zaqar.open_port()
        way.office.timers_until(way.office.is_empty)
        assert (way.messages, way.notified) == ([RESULT], 0)

    def test_heat_is_notified_of_what_is_not_on_the_queue_and_a_late_copy_removed(
        self, ways: Ways, deployments: Deployments
    ) -> None:
        way = ways.of("late")
        # The look that finds nothing; then Heat is notified, and the queue is away.
        way.send(LOST, FORWARD, *[answer(503)] * ROUND)
        assert deployments.result("late") == RESULT
        assert way.stays(Stage.CLEANING, "answered 503")
        assert way.office.outbox.undelivered() == []
        way.put_on_queue()
        way.office.timers_until(way.office.is_empty)
        assert (way.messages, way.notified) == ([], 1)

    def test_a_copy_that_comes_after_the_first_cleaning_is_removed_too(self, way: Way) -> None:
        way.send(LOST, FORWARD, FORWARD, *[answer(503)] * ROUND)
        assert way.stays(Stage.CLEANING_AGAIN, "answered 503")
        way.put_on_queue()
        way.office.timers_until(way.office.is_empty)
        assert (way.messages, way.notified) == ([], 1)

    def test_heat_is_notified_of_what_it_does_not_take_and_the_copy_removed(
        self, ways: Ways, deployments: Deployments
    ) -> None:
        way = ways.of("untaken")
        watch_last_resort(way)
        assert way.messages == [RESULT]
        way.heat.open_port()
        way.office.timers_until(way.office.is_empty)
        assert deployments.result("untaken") == RESULT
        assert (way.messages, way.notified) == ([], 1)

    def test_what_heat_takes_from_the_queue_is_done(
        self, ways: Ways, deployments: Deployments
    ) -> None:
        """Its API is away, and its engine waits at the queue."""
        way = ways.of("taken")
        way.queue = deployments.values("taken")["deploy_queue_id"]
        way.address["deploy_queue_id"] = way.queue
        watch_last_resort(way)
        assert deployments.result("taken") == RESULT
        way.office.timers_until(way.office.is_empty)
        assert (way.messages, way.notified) == ([], 0)
        assert len(way.zaqar.requests("POST")) == 2


def watch_last_resort(way: Way) -> None:
    """The first POST is lost, and Heat's API is away: the result is posted once more."""
    way.heat.close_port()
    way.send(LOST)
    assert way.stays(Stage.MAYBE_NOTIFIED, "does not answer")
    assert way.office.outbox.undelivered() == [way.office.config_id]
    posts = way.zaqar.requests
    way.office.timers_until(lambda: len(posts("POST")) == 2)
    assert way.office.outbox.undelivered() == []


class TestForced:
    def test_of_a_run_that_an_operator_forces_heat_is_only_notified(self, way: Way) -> None:
        way.put_on_queue()
        way.zaqar.history.clear()
        way.send(message={**RESULT, "deploy_stdout": "forced"}, forced=True)
        assert way.office.is_empty()
        # What an earlier run has left there is removed.
        assert (way.messages, way.notified) == ([], 1)
        assert way.zaqar.requests("POST") == []

    @each(AMBIGUOUS)
    @pytest.mark.usefixtures("short_stall")
    def test_it_is_notified_again_when_the_answer_was_lost(self, way: Way, action: Action) -> None:
        way.heat.plan([action])
        way.send(forced=True)
        assert way.office.is_empty()
        assert (way.messages, way.notified) == ([], 2)
        assert way.zaqar.requests("POST") == []


class TestHeat:
    @pytest.fixture
    def wire(self, lab: Lab, reroute: Reroute) -> Iterator[Wire]:
        with Wire(address(lab.endpoints["orchestration"])) as wire:
            reroute("orchestration", wire)
            yield wire

    def test_a_result_arrives_over_a_bad_wire(
        self, wire: Wire, office: Office, deployments: Deployments
    ) -> None:
        # The second one that reaches Heat does no harm: it waits for one only.
        wire.plan([RESET, answer(502), LOSE_ANSWER])
        office.send(deployments.values("resource"), RESULT)
        assert office.is_empty()
        assert [exchange.forwarded for exchange in wire.history] == [None, None, 200, 200]
        assert deployments.result("resource") == RESULT

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(
        self, wire: Wire, office: Office, deployments: Deployments, action: Action
    ) -> None:
        wire.plan([action] * ROUND)
        office.send(deployments.values("resource"), RESULT)
        assert stays(office, Stage.REPEATABLE, wire.url)
        assert len(wire.history) == ROUND


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
        self, wire: Wire, office: Office, deployments: Deployments, values: dict[str, Any]
    ) -> None:
        wire.plan([answer(503), RESET, LOSE_ANSWER])
        office.send(values, RESULT)
        assert office.is_empty()
        assert [exchange.forwarded for exchange in wire.history] == [None, None, 200, 200]
        assert deployments.result("cfn") == RESULT

    @each(PASSING)
    @pytest.mark.usefixtures("short_stall")
    def test_trouble_that_lasts_is_an_error(
        self, wire: Wire, office: Office, values: dict[str, Any], action: Action
    ) -> None:
        wire.plan([action] * ROUND)
        office.send(values, RESULT)
        assert stays(office, Stage.REPEATABLE, wire.url)
        assert len(wire.history) == ROUND
