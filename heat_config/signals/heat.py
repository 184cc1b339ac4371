# SPDX-License-Identifier: Apache-2.0
"""HEAT_SIGNAL: the result is posted to the deployment's resource in Heat's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from heat_config import redact
from heat_config.signals.http import from_status, from_stranger, is_json
from heat_config.signals.inputs import require
from heat_config.signals.keystone import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.result import Result
    from heat_config.settings import Settings

# Heat's max_json_body_size.
LIMIT = 1_048_576


class Resource:
    """The deployment's resource in its stack."""

    def __init__(self, values: Mapping[str, Any], settings: Settings) -> None:
        # The id is name/uuid; a name may hold what a path may not.
        stack, resource = require(values, "deploy_stack_id", "deploy_resource_name")
        self._path = f"stacks/{quote(stack)}/resources/{quote(resource, safe='')}/signal"
        self._user = User(values, settings)

    def send(self, result: Result) -> str:
        """Signal the resource; return its address.

        A second signal does no harm: Heat ignores it unless it waits for one.

        :raises SignalError: it was not accepted.
        """
        url = f"{self._user.endpoint('orchestration').rstrip('/')}/{self._path}"
        response = self._user.request(
            url,
            "POST",
            data=result.as_json(LIMIT),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        if not response.ok:
            raise from_status(response.status_code, redact.url(url), _reason(response))
        if not is_json(response):  # Heat's is null
            raise from_stranger(redact.url(url))
        return redact.url(url)


def _reason(response: Any) -> str:
    """Heat explains itself in JSON: {"error": {"message": …}}."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(response.reason)
