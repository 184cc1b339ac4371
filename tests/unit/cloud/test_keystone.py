# SPDX-License-Identifier: Apache-2.0
"""A stack user: one token for the same credentials, and whose trouble is whose."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from keystoneauth1 import exceptions
from requests import Response

from heat_config.cloud import http, keystone
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.trust import Trust

CREDENTIALS = Credentials(
    "http://127.0.0.1:1/v3/?secret", "user-id", "hunter22", "project-id", "Here"
)
TRUST = Trust()
KEYSTONE = r"^Keystone at http://127.0.0.1:1/v3/ "


def raising(error: Exception) -> Any:
    def ask(*_: object, **__: object) -> None:
        raise error

    return ask


def answering(*statuses: int) -> Any:
    """What a service answers, one after the other."""
    left = list(statuses)

    def ask(*_: object, **__: object) -> Response:
        response = Response()
        response.status_code = left.pop(0)
        return response

    return ask


class TestOneUser:
    def test_the_same_credentials_are_the_same_user(self) -> None:
        user = keystone.user_of(CREDENTIALS, TRUST)
        assert keystone.user_of(dataclasses.replace(CREDENTIALS), Trust()) is user

    @pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Credentials)])
    def test_others_are_another(self, name: str) -> None:
        user = keystone.user_of(CREDENTIALS, TRUST)
        other: Any = {name: "another"}
        assert keystone.user_of(dataclasses.replace(CREDENTIALS, **other), TRUST) is not user

    def test_whom_it_trusts_counts_too(self) -> None:
        user = keystone.user_of(CREDENTIALS, TRUST)
        assert keystone.user_of(CREDENTIALS, Trust(insecure=True)) is not user

    def test_without_its_certificates_there_is_none(self) -> None:
        with pytest.raises(CloudError, match="/nonexistent") as raised:
            keystone.user_of(CREDENTIALS, Trust("/nonexistent"))
        assert raised.value.outcome is Outcome.WRONG_HERE


@pytest.fixture
def user() -> keystone.User:
    return keystone.User(CREDENTIALS, TRUST)


class TestKeystone:
    """What goes wrong before anything is sent to the service."""

    @pytest.mark.parametrize(
        ("error", "said", "outcome"),
        [
            (exceptions.BadRequest("no"), "answered 400: no", Outcome.REFUSED),
            (exceptions.Unauthorized("no"), "answered 401: no", Outcome.REFUSED),
            (exceptions.Forbidden("no"), "answered 403: no", Outcome.REFUSED),
            (exceptions.NotFound("no"), "answered 404: no", Outcome.REFUSED),
            (exceptions.RequestEntityTooLarge("no"), "answered 413: no", Outcome.REFUSED),
            (exceptions.InternalServerError("no"), "answered 500: no", Outcome.UNREACHABLE),
            (exceptions.ServiceUnavailable("busy"), "answered 503: busy", Outcome.UNREACHABLE),
            (exceptions.ConnectFailure("?secret"), "(ConnectFailure)", Outcome.UNREACHABLE),
            (exceptions.ConnectTimeout("?secret"), "(ConnectTimeout)", Outcome.UNREACHABLE),
            (exceptions.SSLError("?secret"), "TLS with Keystone at", Outcome.UNREACHABLE),
            (KeyError("x-subject-token"), "not Keystone's", Outcome.UNREACHABLE),
            (TypeError("None"), "not Keystone's", Outcome.UNREACHABLE),
        ],
    )
    def test_means_that_the_request_was_not_sent(
        self,
        user: keystone.User,
        error: Exception,
        said: str,
        outcome: Outcome,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sent: list[object] = []
        monkeypatch.setattr(user._session, "get_token", raising(error))
        monkeypatch.setattr(user._session, "request", lambda *_, **__: sent.append(1))
        with pytest.raises(CloudError) as raised:
            user.request("http://h", "GET")
        assert raised.value.outcome is outcome
        assert said in str(raised.value)
        assert "Keystone at http://127.0.0.1:1/v3/" in str(raised.value)
        assert "secret" not in str(raised.value)
        assert sent == []

    @pytest.mark.parametrize("fault", [None, exceptions.EndpointNotFound, exceptions.EmptyCatalog])
    def test_a_catalog_without_the_service(
        self,
        user: keystone.User,
        fault: type[Exception] | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        found = raising(fault("")) if fault else lambda **_: None
        monkeypatch.setattr(user._session, "get_endpoint", found)
        with pytest.raises(CloudError, match="no public endpoint of type 'x' in region Here"):
            user.endpoint("x")

    def test_the_region_and_the_public_interface_are_asked_for(
        self, user: keystone.User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: dict[str, object] = {}
        monkeypatch.setattr(
            user._session, "get_endpoint", lambda **given: asked.update(given) or "http://h"
        )
        assert user.endpoint("messaging") == "http://h"
        assert asked == {
            "service_type": "messaging",
            "interface": "public",
            "region_name": "Here",
        }


class TestRequest:
    @pytest.fixture(autouse=True)
    def logged_in(self, user: keystone.User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(user._session, "get_token", lambda: "token")

    @pytest.mark.parametrize(
        ("error", "said", "outcome"),
        [
            (exceptions.ConnectFailure("?secret"), "(ConnectFailure)", Outcome.UNKNOWN),
            (exceptions.ConnectTimeout("?secret"), "(ConnectTimeout)", Outcome.UNKNOWN),
            (exceptions.SSLError("?secret"), "TLS with http://h/ failed", Outcome.UNKNOWN),
        ],
    )
    def test_no_answer(
        self,
        user: keystone.User,
        error: Exception,
        said: str,
        outcome: Outcome,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(user._session, "request", raising(error))
        with pytest.raises(CloudError) as raised:
            user.request("http://h/?secret", "GET")
        assert raised.value.outcome is outcome
        assert said in str(raised.value)
        assert "secret" not in str(raised.value)

    @pytest.mark.parametrize(
        ("answers", "renewable", "status"),
        [
            ((200,), True, 200),
            ((401, 201), True, 201),
            ((401, 401), True, 401),
            ((401,), False, 401),
        ],
    )
    def test_a_token_that_is_refused_is_renewed_once(
        self,
        user: keystone.User,
        answers: tuple[int, ...],
        renewable: bool,
        status: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(user._session, "request", answering(*answers))
        monkeypatch.setattr(user._session, "invalidate", lambda: renewable)
        assert user.request("http://h/", "GET").status_code == status

    def test_every_request_has_an_end(self, user: keystone.User) -> None:
        assert user._session.timeout == http.TIMEOUT
