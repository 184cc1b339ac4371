# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from heat_config import redact

SIGNED = (
    "http://user:pa55word@cfn:8000/v1/signal/arn?Timestamp=2026-11-22T12%3A00%3A00Z"
    "&SignatureMethod=HmacSHA256&AWSAccessKeyId=0123456789abcdef0123456789abcdef"
    "&SignatureVersion=2&Signature=Zm9vYmFyYmF6cXV4Zm9vYmFy%2Bw%3D"
)


def test_passwords_and_ids_are_secret() -> None:
    values = {"deploy_password": "hunter22", "deploy_user_id": "f00dbabe", "foo": "public"}
    assert redact.secrets_in(values) == {"hunter22", "f00dbabe"}


def test_what_signs_a_url_is_secret_in_both_spellings() -> None:
    secrets = redact.secrets_in({"deploy_signal_id": SIGNED})
    assert "Zm9vYmFyYmF6cXV4Zm9vYmFy%2Bw%3D" in secrets
    assert "Zm9vYmFyYmF6cXV4Zm9vYmFy+w=" in secrets
    assert "0123456789abcdef0123456789abcdef" in secrets
    assert "pa55word" in secrets
    assert "HmacSHA256" not in secrets


def test_what_a_signed_address_opens_is_secret_too() -> None:
    path = "/v2/queues/heat-config-0123/messages"
    text = f"zaqar+https://host{path}?project=p&paths={path}&signature={'ab' * 32}"
    secrets = redact.secrets_in({"deploy_signal_id": text})
    assert {"heat-config-0123", "ab" * 32, path} <= secrets
    assert "host" not in secrets


def test_credentials_in_the_auth_url_are_secret() -> None:
    assert redact.secrets_in({"deploy_auth_url": "http://me:letmein@h/v3"}) == {
        "me:letmein",
        "letmein",
    }


@pytest.mark.parametrize("value", [None, 5, [], "", "abc"])
def test_what_is_no_secret_is_none(value: object) -> None:
    assert redact.secrets_in({"deploy_password": value, "deploy_signal_id": value}) == set()


def test_the_longest_secret_is_masked_first() -> None:
    assert redact.text("x abcdefgh y", ["abcd", "abcdefgh"]) == "x *** y"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (SIGNED, "http://cfn:8000/v1/signal/arn"),
        ("https://h/p#fragment", "https://h/p"),
        ("https://h", "https://h"),
        ("no url", "no url"),
        (None, "?"),
    ],
)
def test_a_url_is_shown_without_its_credentials(address: object, shown: str) -> None:
    assert redact.url(address) == shown
