# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

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


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("stack-resource-abcdefghijkl", {"stack-resource-abcdefghijkl"}),
        ("the-deployment", set()),  # Heat has called both after the resource
        ("admin", set()),
        (None, set()),
        (12345678, set()),
    ],
)
def test_the_users_name_is_secret_unless_the_deployment_has_it(
    name: object, secret: set[str]
) -> None:
    assert redact.user_name_in({"deploy_username": name}, "the-deployment") == secret


def test_of_data_the_json_and_each_text_is_secret() -> None:
    value = {"user": "someone", "keys": ["letmein", 123456, 7, True, None], "port": "80"}
    assert redact.texts_of({"a": value, "b": "hunter22", "c": True}, ["a", "c", "none"]) == {
        "someone",
        "letmein",
        "123456",
        json.dumps(value),
    }


def test_data_that_is_too_deep_to_be_written_is_left_out() -> None:
    value: list[object] = ["letmein"]
    for _ in range(100_000):
        value = [value]
    assert redact.texts_of({"a": value}, ["a"]) == {"letmein"}


def test_a_password_that_should_have_been_quoted_is_secret_too() -> None:
    secrets = redact.secrets_in({"deploy_auth_url": "http://me:let?me/in@h/v3"})
    assert "let?me/in" in secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (SIGNED, "http://cfn:8000/v1/signal/arn"),
        ("https://h/p#fragment", "https://h/p"),
        ("https://h", "https://h"),
        ("no url", "no url"),
        ("no url?secret#secret", "no url"),
        ("http://u:pa?ss@h", "http://***"),
        ("http://u:pa#ss@h", "http://***"),
        ("http://u:pa/ss@h/v3", "http://***"),
        ("http://u:p@ss@h/v3", "http://h/v3"),
        (None, "?"),
    ],
)
def test_a_url_is_shown_without_its_credentials(address: object, shown: str) -> None:
    assert redact.url(address) == shown
