# SPDX-License-Identifier: Apache-2.0
"""HEAT_SIGNAL: the result is posted to the deployment's resource in Heat's API.

A second signal does no harm: Heat ignores it unless the deployment is
IN_PROGRESS (``service_software_config.signal_software_deployment``). That makes
it the way round, too, for a result whose queue is away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from heat_config import redact
from heat_config.cloud.http import from_status, from_stranger, is_json
from heat_config.cloud.inputs import require
from heat_config.cloud.keystone import user_of
from heat_config.signals.sender import Accepted

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.cloud.keystone import User
    from heat_config.delivery.outbox import Entry
    from heat_config.result import Result
    from heat_config.settings import Settings

# Heat's max_json_body_size.
LIMIT = 1_048_576


class Resource:
    """The deployment's resource in its stack. ``before`` is called before each signal."""

    limit = LIMIT
    doubt = False
    heat_doubt = False

    def __init__(
        self,
        entry: Entry,
        settings: Settings,
        user: User | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._values = entry.values
        self._user = user or user_of(entry.values, settings)
        self._before = before

    def send(self, result: Result) -> Accepted:
        """Signal the resource.

        :raises CloudError: it was not accepted.
        """
        # The id is name/uuid; a name may hold what a path may not.
        stack, resource = require(self._values, "deploy_stack_id", "deploy_resource_name")
        path = f"stacks/{quote(stack)}/resources/{quote(resource, safe='')}/signal"
        url = f"{self._user.endpoint('orchestration').rstrip('/')}/{path}"
        self._before()
        response = self._user.request(
            url,
            "POST",
            data=result.as_json(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        if not response.ok:
            raise from_status(response.status_code, redact.url(url), _reason(response))
        if not is_json(response):  # Heat's is null
            raise from_stranger(redact.url(url))
        return Accepted(redact.url(url))

    def clean(self) -> None:
        """Nothing of it is left anywhere."""


def _reason(response: Any) -> str:
    """Heat explains itself in JSON: {"error": {"message": …}}."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(response.reason)
