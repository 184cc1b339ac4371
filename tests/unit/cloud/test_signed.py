# SPDX-License-Identifier: Apache-2.0
"""Signed addresses: what is written is read again, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from heat_config.cloud import signed
from heat_config.cloud.errors import CloudError, Outcome

PATH = "/v2/queues/q-1_X/messages"
SHARED = {
    "project": "p1",
    "methods": ["GET", "POST"],
    "paths": [PATH],
    "expires": "2026-01-01T00:00:00",
    "signature": "0123456789abcdef" * 4,
}
ADDRESS = signed.Address(
    "https://cloud.example:13888/messaging",
    "q-1_X",
    "p1",
    ("GET", "POST"),
    (PATH,),
    "2026-01-01T00:00:00",
    SHARED["signature"],  # type: ignore[arg-type]
)
TEXT = (
    "zaqar+https://cloud.example:13888/messaging/v2/queues/q-1_X/messages?project=p1"
    f"&methods=GET,POST&paths={PATH}&expires=2026-01-01T00:00:00&signature={ADDRESS.signature}"
)


def test_what_is_written_is_read_again() -> None:
    assert signed.written(ADDRESS) == TEXT
    assert signed.parse(TEXT) == ADDRESS


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:8888", "https://[2001:db8::1]:443", "https://host", "http://h/a/b"],
)
def test_any_place_of_zaqars(endpoint: str) -> None:
    address = signed.from_shared(f"{endpoint}/", "q-1_X", SHARED)
    assert address.endpoint == endpoint
    assert signed.parse(signed.written(address)) == address


def test_the_headers_are_those_that_the_signature_covers() -> None:
    assert ADDRESS.headers == {
        "X-Project-ID": "p1",
        "URL-Methods": "GET,POST",
        "URL-Paths": PATH,
        "URL-Expires": "2026-01-01T00:00:00",
        "URL-Signature": ADDRESS.signature,
    }


def test_its_end_is_utc() -> None:
    assert ADDRESS.seconds_left(1_767_225_600 - 60) == 60
    assert ADDRESS.seconds_left(1_767_225_600 + 1) == -1


def test_a_log_shows_no_secret() -> None:
    assert ADDRESS.signature not in repr(ADDRESS)
    assert ADDRESS.queue not in repr(ADDRESS)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (TEXT, True),
        (TEXT.replace("https", "http", 1), True),
        ("https://host/v1/signal?Signature=x", False),
        ("zaqar+ftp://host", False),
        (None, False),
        ({"get_attr": "x"}, False),
    ],
)
def test_whether_it_is_one(text: object, is_one: bool) -> None:
    assert signed.is_signed(text) is is_one


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("zaqar+https", "https"),
        ("zaqar+https", "zaqar+file"),
        ("cloud.example:13888", "cloud.example:none"),
        ("cloud.example:13888", ""),
        ("cloud.example:13888", "user:secret@cloud.example"),
        ("cloud.example:13888", "[::1"),
        ("/messaging", "/a/../b"),
        ("/messaging", "/a%0d%0aX:y"),
        ("/v2/", "/v1/"),
        ("q-1_X/messages?", "q-1_X/claims?"),
        ("q-1_X/messages?", "q.1/messages?"),
        ("q-1_X/messages?", f"{'q' * 65}/messages?"),
        ("project=p1", "project="),
        ("project=p1", "project=p%0d%0aX-Y:z"),
        ("project=p1", "project=p1%0a"),
        ("project=p1", "project=p1&project=p2"),
        ("project=p1&", ""),
        ("project=p1", "project=p1&more=x"),
        ("GET,POST", "GET,STEAL"),
        ("GET,POST", ""),
        (f"paths={PATH}", "paths="),
        (f"paths={PATH}", "paths=.*"),
        ("T00:00:00", ""),
        ("2026-01-01T", "2026-13-01T"),
        ("T00:00:00&", "T0:00:00&"),
        ("signature=01", "signature=0g"),
        ("signature=01", "signature="),
    ],
)
def test_what_is_none_is_named_without_its_values(good: str, bad: str) -> None:
    assert good in TEXT
    with pytest.raises(CloudError) as raised:
        signed.parse(TEXT.replace(good, bad, 1))
    assert raised.value.outcome is Outcome.UNUSABLE
    assert not [part for part in ("cloud.example", "q-1_X", "secret") if part in str(raised.value)]


@pytest.mark.parametrize("name", SHARED)
def test_an_answer_that_is_not_zaqars(name: str) -> None:
    with pytest.raises(CloudError):
        signed.from_shared("https://host", "q", {k: v for k, v in SHARED.items() if k != name})
    with pytest.raises(CloudError):
        signed.from_shared("https://host", "q", {**SHARED, name: None})


BODIES: list[tuple[Any, bool, str | None]] = [
    (signed.acknowledgement("c1"), True, "c1"),
    ({"deploy_config_id": "c1", "deploy_status_code": 0}, False, "c1"),
    ({"heat_acknowledged": "true", "deploy_config_id": "c1"}, False, "c1"),
    ({"heat_acknowledged": True}, True, None),
    ({"deploy_config_id": 7}, False, None),
    ([], False, None),
    ("heat_acknowledged", False, None),
    (None, False, None),
]


@pytest.mark.parametrize(("body", "is_word", "config_id"), BODIES)
def test_what_a_message_says(body: Any, is_word: bool, config_id: str | None) -> None:
    assert signed.is_acknowledgement(body) is is_word
    assert signed.config_of(body) == config_id
    assert signed.acknowledges(body, "c1") is (is_word and config_id == "c1")
    assert not signed.acknowledges(body, "c2")
