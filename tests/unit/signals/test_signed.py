# SPDX-License-Identifier: Apache-2.0
"""A signed queue, on a real HTTP server: whose message is whose, and what wrong addresses do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from heat_config import signals
from heat_config.cloud import signed
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.result import Result
from heat_config.settings import Settings
from heat_config.signals import Transport
from heat_config.signals.signed import SignedQueue
from tests.support.serving import serving
from tests.support.signed_zaqar import QUEUE, SIGNATURE, SignedZaqar

RESULT = Result(0, "out", outputs={"a": "b"})


@pytest.fixture
def zaqar() -> Iterator[SignedZaqar]:
    made = SignedZaqar()
    with serving(made):
        yield made


@pytest.fixture
def queue(zaqar: SignedZaqar, settings: Settings) -> SignedQueue:
    return queue_at(zaqar.text, settings)


def queue_at(text: object, settings: Settings) -> SignedQueue:
    address = {"deploy_signal_id": text, "deploy_signal_verb": "POST"}
    found = signals.queue_of(address, "c1", settings)
    assert isinstance(found, SignedQueue)
    return found


def test_the_message_is_the_result_and_says_whose_it_is(
    queue: SignedQueue, zaqar: SignedZaqar
) -> None:
    assert queue.post(RESULT) == f"queue {QUEUE} at {zaqar.address.endpoint}"
    assert list(zaqar.there.values()) == [{**RESULT.as_dict(), "deploy_config_id": "c1"}]
    assert zaqar.ttls == [86_400]


def test_its_own_is_found_until_heat_acknowledges(queue: SignedQueue, zaqar: SignedZaqar) -> None:
    assert queue.find() is Outcome.ABSENT
    queue.post(RESULT)
    assert queue.find() is Outcome.PRESENT
    # The acknowledgement is there before the result is removed.
    zaqar.put(signed.acknowledgement("c1"))
    assert queue.find() is Outcome.ACKNOWLEDGED
    zaqar.empty()
    assert queue.find() is Outcome.ABSENT


@pytest.mark.parametrize(
    "body",
    [
        {"deploy_config_id": "c2"},
        signed.acknowledgement("c2"),
        {"deploy_config_id": "c1-and-more"},
        {"heat_acknowledged": True},
        {},
        "c1",
        ["deploy_config_id", "c1"],
        None,
    ],
)
def test_what_is_anothers_is_not_taken_for_its_own(
    queue: SignedQueue, zaqar: SignedZaqar, body: object
) -> None:
    zaqar.put(body)
    assert queue.find() is Outcome.ABSENT


@pytest.mark.parametrize("word", [1, "true", {"really": True}])
def test_what_is_not_quite_an_acknowledgement_is_none(
    queue: SignedQueue, zaqar: SignedZaqar, word: object
) -> None:
    zaqar.put({**signed.acknowledgement("c1"), "heat_acknowledged": word})
    assert queue.find() is Outcome.PRESENT


def test_nothing_is_removed(queue: SignedQueue, zaqar: SignedZaqar) -> None:
    queue.post(RESULT)
    queue.remove()
    assert zaqar.asked == ["POST"]


def refused(queue: SignedQueue) -> list[str]:
    """What is said when nothing of it is served."""
    said = []
    for call in (lambda: queue.post(RESULT), queue.find):
        with pytest.raises(CloudError) as raised:
            call()
        assert raised.value.outcome is Outcome.REFUSED
        assert SIGNATURE not in str(raised.value)
        assert QUEUE not in str(raised.value)
        said.append(str(raised.value))
    return said


def test_an_address_that_has_ended_is_refused_with_what_it_may_be(
    queue: SignedQueue, zaqar: SignedZaqar
) -> None:
    zaqar.has_ended = True
    expected = (
        f"Zaqar at {zaqar.address.endpoint} answered 404: the signed address opens nothing there: "
        "its time has passed (2099-01-01 00:00:00 UTC), another Zaqar or another key has signed "
        "it, or something in it was changed"
    )
    assert refused(queue) == [expected] * 2


@pytest.mark.parametrize(
    "changed",
    [
        ("project=the-project", "project=another"),
        ("methods=GET,POST", "methods=DELETE,GET,POST"),
        ("expires=2099", "expires=2199"),
        (f"paths=/v2/queues/{QUEUE}", "paths=/v2/queues/another"),
        (f"v2/queues/{QUEUE}/messages?", "v2/queues/another/messages?"),
        ("signature=fe", "signature=ef"),
    ],
)
def test_an_address_that_was_changed_is_refused(
    zaqar: SignedZaqar, settings: Settings, changed: tuple[str, str]
) -> None:
    assert changed[0] in zaqar.text
    queue = queue_at(zaqar.text.replace(*changed), settings)
    assert all("was changed" in each for each in refused(queue))


def test_an_address_for_the_result_alone_finds_nothing(settings: Settings) -> None:
    poster = SignedZaqar("POST")
    with serving(poster):
        queue = queue_at(poster.text, settings)
        queue.post(RESULT)
        with pytest.raises(CloudError, match="answered 404") as raised:
            queue.find()
    assert raised.value.outcome is Outcome.REFUSED


def test_an_address_of_a_host_that_is_away_waits(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    zaqar = SignedZaqar()
    zaqar.server_close()
    text = zaqar.text.replace(str(zaqar.server_port), str(port))
    for call in (lambda queue: queue.post(RESULT), SignedQueue.find):
        with pytest.raises(CloudError, match="does not answer") as raised:
            call(queue_at(text, settings))
        assert raised.value.outcome is Outcome.UNREACHABLE
        assert SIGNATURE not in str(raised.value)


@pytest.mark.parametrize("text", ["zaqar+https://", "zaqar+http://host/v2/queues/q/messages?x=1"])
def test_what_is_no_address_is_not_usable(text: str, settings: Settings) -> None:
    with pytest.raises(CloudError, match="the signed address is not usable") as raised:
        queue_at(text, settings)
    assert raised.value.outcome is Outcome.UNUSABLE


def test_certificates_that_cannot_be_read_are_no_fault_of_the_address(
    zaqar: SignedZaqar, settings: Settings
) -> None:
    with pytest.raises(CloudError, match="/nonexistent") as raised:
        queue_at(zaqar.text, settings._replace(ca_file="/nonexistent"))
    assert raised.value.outcome is Outcome.WRONG_HERE


def test_it_is_what_sends_where_the_address_is_signed(
    zaqar: SignedZaqar, settings: Settings
) -> None:
    values = {"deploy_signal_id": zaqar.text, "deploy_signal_verb": "POST", "deploy_name": "n"}
    assert signals.transport(values) is Transport.SIGNED
    assert signals.address(values) == values
    sender = signals.sender_of(values, "c1", settings, Path("/c1.json"))
    assert isinstance(sender, SignedQueue)
    assert sender.limit == 261_600
