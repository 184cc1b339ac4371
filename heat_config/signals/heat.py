# SPDX-License-Identifier: Apache-2.0
"""HEAT_SIGNAL: the result is posted to the deployment's resource in Heat's API.

A second signal does no harm: Heat ignores it unless the deployment is
IN_PROGRESS (``service_software_config.signal_software_deployment``). That makes
it the fallback, too, for a result whose queue is away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from heat_config import redact
from heat_config.cloud import http
from heat_config.cloud.inputs import require
from heat_config.signals.user import user_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response

    from heat_config.cloud.keystone import User
    from heat_config.result import Result
    from heat_config.settings import Settings

# Heat's max_json_body_size.
LIMIT = 1_048_576


class Resource:
    """The deployment's resource in its stack.

    :raises CloudError: the address does not name it.
    """

    limit = LIMIT

    def __init__(self, address: Mapping[str, Any], user: User) -> None:
        # The id is name/uuid; a name may hold what a path may not.
        stack, resource = require(address, "deploy_stack_id", "deploy_resource_name")
        self._path = f"stacks/{quote(stack)}/resources/{quote(resource, safe='')}/signal"
        self._user = user

    def post(self, result: Result) -> str:
        """Signal the resource; return its address, fit for a log.

        :raises CloudError: it was not accepted, or nobody knows.
        """
        url = f"{self._user.endpoint('orchestration').rstrip('/')}/{self._path}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        response = self._user.request(url, "POST", data=result.as_json(), headers=headers)
        if not http.is_success(response):
            raise http.from_status(response.status_code, redact.url(url), _reason(response))
        if not http.is_json(response):  # Heat's is null
            raise http.from_stranger(redact.url(url))
        return redact.url(url)


def sender(address: Mapping[str, Any], config_id: str, settings: Settings) -> Resource:  # noqa: ARG001 - one way to make them all
    """The resource of a deployment.

    :raises CloudError: the address is not usable, or something on this server is not.
    """
    return Resource(address, user_of(address, settings))


def prepare(address: Mapping[str, Any], settings: Settings) -> None:
    """Log in.

    :raises CloudError: that is not possible.
    """
    user_of(address, settings).token()


def _reason(response: Response) -> str:
    """Heat explains itself in JSON: {"error": {"message": …}}."""
    try:
        return str(http.json_of(response)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(response.reason)
