# SPDX-License-Identifier: Apache-2.0
"""Progress beside real runs of the agent: what is posted, and what it costs if nobody takes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config.cloud import signed
from heat_config.progress import message, sender
from heat_config.progress.message import Phase, Progress
from lab.wire import LOSE_ANSWER, RESET, STALL, Action, Wire, answer
from tests.support.deployments import inputs, script
from tests.support.hostile_server import HostileServer
from tests.support.serving import serving
from tests.support.signed_zaqar import QUEUE, SIGNATURE, SignedZaqar

Deploy = Callable[..., int]
Answer = Callable[[str], dict[str, Any]]


@pytest.fixture
def results() -> Iterator[SignedZaqar]:
    """The queue of results, on which Heat has acknowledged what comes."""
    made = SignedZaqar()
    made.put(signed.acknowledgement("c1"), signed.acknowledgement("c2"))
    with serving(made):
        yield made


@pytest.fixture
def watched() -> Iterator[SignedZaqar]:
    """The queue of progress."""
    with serving(SignedZaqar("POST")) as made:
        yield made


def item(text: str, results: SignedZaqar, address: str, **more: Any) -> dict[str, Any]:
    given = inputs(deploy_signal_id=results.text, deploy_progress_id=address)
    return script(f"#!/bin/sh\n{text}\n", inputs=given, **more)


def said(watched: SignedZaqar) -> list[Progress]:
    found = [message.read(each) for each in watched.there.values()]
    assert all(found)
    return [each for each in found if each]


def test_a_run_is_seen_from_beginning_to_end(
    deploy: Deploy, results: SignedZaqar, watched: SignedZaqar
) -> None:
    text = f"for i in $(seq 100); do echo line $i >&2; done; echo {SIGNATURE} >&2; exit 3"
    assert deploy(item(text, results, watched.text)) == 0
    found = said(watched)
    assert [each.number for each in found] == list(range(len(found)))
    assert {(each.config_id, each.run) for each in found} == {("c1", found[0].run)}
    lines = [line for each in found for line in each.lines if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(1, 101)]
    last = found[-1]
    assert (last.phase, last.hook, last.status_code) == (Phase.ENDED, "script", "3")
    assert last.signal == "delivered"
    assert sum(each.left_out for each in found) == 0
    posted = json.dumps(list(watched.there.values()))
    assert "***" in posted
    assert not any(secret in posted for secret in (SIGNATURE, QUEUE, "the-project&"))


def test_the_result_is_sent_before_the_last_message(
    deploy: Deploy, results: SignedZaqar, watched: SignedZaqar, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name, zaqar in (("result", results), ("progress", watched)):
        put = zaqar.put

        def noted(*bodies: Any, name: str = name, put: Callable[..., None] = put) -> None:
            order.extend(name if name == "result" else each["phase"] for each in bodies)
            put(*bodies)

        monkeypatch.setattr(zaqar, "put", noted)
    assert deploy(item("true", results, watched.text)) == 0
    assert order[-2:] == ["result", "ended"]


def test_those_that_wait_are_received_while_the_first_one_runs(
    deploy: Deploy, results: SignedZaqar, watched: SignedZaqar, tmp_path: Path
) -> None:
    """The first one runs until the second one's message is there."""
    go_on = tmp_path / "go-on"
    put = watched.put

    def noted(*bodies: Any) -> None:
        put(*bodies)
        if bodies[0]["deploy_config_id"] == "c2":
            go_on.touch()

    watched.put = noted  # type: ignore[method-assign]
    first = item(f"until [ -e {go_on} ]; do sleep 0.05; done", results, watched.text)
    second = item("true", results, watched.text, config_id="c2")
    assert deploy(first, second) == 0
    of_second = [each for each in said(watched) if each.config_id == "c2"]
    assert of_second[0].phase is Phase.RECEIVED
    assert of_second[-1].phase is Phase.ENDED


def test_nothing_is_posted_where_nobody_asked(
    deploy: Deploy, results: SignedZaqar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "Thread", None)
    given = inputs(deploy_signal_id=results.text, deploy_progress_id=None)
    assert deploy(script("#!/bin/sh\necho no >&2\n", inputs=given)) == 0
    assert [each for each in results.there.values() if "heat_progress" in each] == []


AWAY: dict[str, Action] = {
    "stalls": STALL,
    "ends the connection": RESET,
    "is overloaded": answer(503),
    "refuses": answer(403),
    "knows it no more": answer(404),
}


@pytest.mark.parametrize("action", AWAY.values(), ids=AWAY)
def test_a_zaqar_that_is_away_costs_the_run_nothing(
    action: Action, deploy: Deploy, answer: Answer, results: SignedZaqar, watched: SignedZaqar
) -> None:
    """The agent ends while what was asked still hangs: the wire is released only after it."""
    with Wire(("127.0.0.1", watched.server_port), default=action) as wire:
        there = watched.text.replace(watched.address.endpoint, wire.url)
        status = deploy(item("echo out; echo line >&2", results, there))
        wire.release()
    assert status == 0
    assert answer("c1")["deploy_status_code"] == 0
    assert results.there
    assert said(watched) == []


@pytest.mark.parametrize("fault", ["drips-headers", "drips-body", "headers-without-end"])
def test_a_zaqar_that_trickles_costs_the_run_nothing(
    fault: str, deploy: Deploy, answer: Answer, results: SignedZaqar
) -> None:
    with HostileServer() as server:
        endpoint = server.address("signed-post", fault, "plain")
        path = "/v2/queues/queue/messages"
        query = f"project=p&methods=POST&paths={path}&expires=2099-01-01T00:00:00"
        there = f"zaqar+{endpoint}{path}?{query}&signature={SIGNATURE}"
        assert deploy(item("echo out", results, there)) == 0
    assert answer("c1")["deploy_status_code"] == 0


def test_after_an_outage_the_same_run_goes_on(
    deploy: Deploy, results: SignedZaqar, watched: SignedZaqar, tmp_path: Path, monkeypatch: Any
) -> None:
    """The first message's answer is lost; it comes twice, and every line is there."""
    monkeypatch.setattr(sender, "PAUSE", 0.1)
    gone_on = tmp_path / "gone-on"
    with Wire(("127.0.0.1", watched.server_port), [LOSE_ANSWER]) as wire:
        put = watched.put

        def noted(*bodies: Any) -> None:
            put(*bodies)
            if len(watched.there) > 1:
                gone_on.touch()

        watched.put = noted  # type: ignore[method-assign]
        there = watched.text.replace(watched.address.endpoint, wire.url)
        text = f"echo one >&2; until [ -e {gone_on} ]; do sleep 0.05; done; echo two >&2"
        assert deploy(item(text, results, there)) == 0
    found = said(watched)
    assert found[0].number == found[1].number == 0
    once = {each.number: each for each in found}
    lines = [line for each in once.values() for line in each.lines]
    assert lines[:2] == ["one", "two"]
