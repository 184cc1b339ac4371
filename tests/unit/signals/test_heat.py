# SPDX-License-Identifier: Apache-2.0
"""The deployment's resource in Heat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from requests import Response

from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.keystone import User
from heat_config.result import Result
from heat_config.signals.heat import Resource

RESULT = Result(0, "out")


class Heat(User):
    """A user whom Heat answers in one way."""

    def __init__(self, status: int = 200, content: str = "null") -> None:
        self._response = Response()
        self._response.status_code = status
        self._response.reason = "Reason"
        self._response._content = content.encode()
        self.asked: dict[str, Any] = {}

    def endpoint(self, service_type: str) -> str:
        assert service_type == "orchestration"
        return "http://heat.example/v1/project/"

    def request(self, url: str, method: str, **options: Any) -> Response:
        self.asked = {"url": url, "method": method, **options}
        return self._response


def resource(heat: Heat, name: str = "r") -> Resource:
    return Resource({"deploy_stack_id": "stack/1-2", "deploy_resource_name": name}, heat)


@pytest.mark.parametrize(("name", "quoted"), [("r", "r"), ("a/b ü", "a%2Fb%20%C3%BC")])
def test_the_resource_is_signalled(name: str, quoted: str) -> None:
    heat = Heat()
    place = f"http://heat.example/v1/project/stacks/stack/1-2/resources/{quoted}/signal"
    assert resource(heat, name).post(RESULT) == place
    assert (heat.asked["method"], heat.asked["url"]) == ("POST", place)
    assert json.loads(heat.asked["data"]) == RESULT.as_dict()


@pytest.mark.parametrize(
    ("status", "content", "outcome", "said"),
    [
        (200, "<html>", Outcome.UNKNOWN, "not the service's own"),
        (200, "", Outcome.UNKNOWN, "not the service's own"),
        (302, "null", Outcome.UNREACHABLE, "answered 302: Reason"),
        (400, '{"error": {"message": "JSON body size (9) exceeds"}}', Outcome.TOO_LARGE, "JSON"),
        (403, '{"error": "odd"}', Outcome.REFUSED, "answered 403: Reason"),
        (404, '{"error": {"message": "no such"}}', Outcome.REFUSED, "answered 404: no such"),
        (503, "", Outcome.UNKNOWN, "answered 503: Reason"),
    ],
)
def test_whatever_is_not_heats_success(
    status: int, content: str, outcome: Outcome, said: str
) -> None:
    with pytest.raises(CloudError) as raised:
        resource(Heat(status, content)).post(RESULT)
    assert raised.value.outcome is outcome
    assert said in str(raised.value)
