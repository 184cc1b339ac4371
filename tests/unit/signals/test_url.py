# SPDX-License-Identifier: Apache-2.0
"""A signed URL, on a real HTTP server."""

from __future__ import annotations

import socket

import pytest

from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.trust import Trust
from heat_config.result import Result
from heat_config.signals.url import SignedUrl
from tests.support.inbox import Inbox

RESULT = Result(0, "out")


def signed(url: str, verb: object = "PUT") -> SignedUrl:
    return SignedUrl({"deploy_signal_id": url, "deploy_signal_verb": verb}, Trust())


@pytest.mark.parametrize(("verb", "sent"), [("PUT", "PUT"), ("post", "POST"), (None, "POST")])
def test_the_result_goes_there_and_the_signature_is_not_told(
    inbox: Inbox, verb: str | None, sent: str
) -> None:
    place = signed(inbox.url, verb).post(RESULT)
    assert place == f"{sent} {inbox.url.partition('?')[0]}"
    ((method, path, kind, message),) = inbox.received
    assert (method, kind, message) == (sent, "application/json", RESULT.as_dict())
    assert "temp_url_sig=" in path


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (307, Outcome.UNREACHABLE),
        (401, Outcome.REFUSED),
        (413, Outcome.TOO_LARGE),
        (422, Outcome.CONTENT_REFUSED),
        (429, Outcome.UNREACHABLE),
        (503, Outcome.UNKNOWN),
    ],
)
def test_an_answer_that_is_no_success(inbox: Inbox, status: int, outcome: Outcome) -> None:
    inbox.answers = [status]
    with pytest.raises(CloudError, match=f"answered {status}") as raised:
        signed(inbox.url).post(RESULT)
    assert raised.value.outcome is outcome
    assert "temp_url_sig" not in str(raised.value)


def test_a_page_for_people_is_a_strangers(inbox: Inbox) -> None:
    inbox.page = b"<html>Please log in"
    with pytest.raises(CloudError) as raised:
        signed(inbox.url).post(RESULT)
    assert raised.value.outcome is Outcome.UNKNOWN


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(CloudError, match="does not answer") as raised:
        signed(f"http://127.0.0.1:{port}/x?Signature=0123456789abcdef").post(RESULT)
    assert raised.value.outcome is Outcome.UNREACHABLE
    assert "Signature" not in str(raised.value)


@pytest.mark.parametrize("url", ["nonsense", "ftp://h/x", "http://", "http://h:port/"])
def test_what_is_no_url_is_not_usable(url: str) -> None:
    with pytest.raises(CloudError, match="not a usable URL") as raised:
        signed(url).post(RESULT)
    assert raised.value.outcome is Outcome.UNUSABLE


@pytest.mark.parametrize("verb", ["GET", "DELETE", "X: y\r\nPUT", ["PUT"]])
def test_another_verb_is_not_usable(verb: object) -> None:
    with pytest.raises(CloudError, match="is neither POST nor PUT") as raised:
        signed("http://127.0.0.1/", verb)
    assert raised.value.outcome is Outcome.UNUSABLE
