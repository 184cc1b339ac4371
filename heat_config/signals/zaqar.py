# SPDX-License-Identifier: Apache-2.0
"""ZAQAR_SIGNAL: the result is one message on the deployment's own queue.

Heat pops one message while the deployment is IN_PROGRESS and takes its body as
the result. python-zaqarclient speaks the API; what it lacks (timeouts, kept
connections, a check of every status) is in the connection that it is given.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from zaqarclient.queues.v2.client import Client
from zaqarclient.transport import errors as zaqar_errors
from zaqarclient.transport.http import HttpTransport

from heat_config import redact
from heat_config.signals.errors import SignalError
from heat_config.signals.http import brief, from_status, from_stranger, is_json
from heat_config.signals.inputs import require
from heat_config.signals.keystone import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response

    from heat_config.result import Result
    from heat_config.settings import Settings

# Zaqar's max_messages_post_size is 262 144 bytes for the whole request body;
# the rest is the envelope.
LIMIT = 262_000
# Seconds that the message waits for Heat. 600, as heat-agents had it, loses a
# result when Heat is away for ten minutes.
TTL = 86_400

# The name space of the Client-IDs: the same deployment always has the same, so
# that its message can be recognised on the queue.
_CLIENT_IDS = uuid.UUID("5d1cf1ab-6e2c-4d53-a3b8-0c1b6ab0a6c5")


class Queue:
    """The queue on which Heat waits for one deployment's result."""

    def __init__(self, config_id: str, values: Mapping[str, Any], settings: Settings) -> None:
        (self._name,) = require(values, "deploy_queue_id")
        self._client_id = str(uuid.uuid5(_CLIENT_IDS, config_id))
        self._user = User(values, settings)
        self._uncertain = False

    def send(self, result: Result) -> str:
        """Post the result; return the queue's name.

        After a try whose answer was lost it first looks whether the message is
        there already: a second one would be taken for the next update's result.

        :raises SignalError: it was not accepted.
        """
        message = json.loads(result.as_json(LIMIT))
        endpoint = self._user.endpoint("messaging")
        client = _Client(endpoint, self._client_id, self._user)
        queue = _queue(client, self._name)
        target = f"queue {self._name} at {redact.url(endpoint)}"
        try:
            if not (self._uncertain and self._holds(queue, message)):
                _post(queue, message)
        except zaqar_errors.TransportError as error:
            raise _translated(error, target) from None
        except SignalError as error:
            self._uncertain |= error.uncertain
            raise
        return target

    def _holds(self, queue: Any, message: Mapping[str, Any]) -> bool:
        """Whether our own message waits on the queue."""
        # Without include_claimed, which Zaqar on Redis answers with 503: Heat
        # does not claim, it pops.
        found = queue.messages(echo=True, limit=20)
        # As text: NaN is not equal to itself.
        wanted = json.dumps(message, sort_keys=True)
        return any(json.dumps(entry.body, sort_keys=True) == wanted for entry in found)


def _queue(client: Client, name: str) -> Any:
    # The first message makes the queue: no need to ask whether it exists.
    try:
        return client.queue(name, auto_create=False)
    except ValueError as error:
        raise SignalError(f"deploy_queue_id is not usable: {error}") from None


def _post(queue: Any, message: Mapping[str, Any]) -> None:
    posted = queue.post({"body": message, "ttl": TTL})
    if not isinstance(posted, dict) or not posted.get("resources"):
        raise from_stranger(f"queue {queue.name}")


class _Client(Client):  # type: ignore[misc]
    """python-zaqarclient's client on our connection."""

    def __init__(self, endpoint: str, client_id: str, user: User) -> None:
        # No authentication of its own: the connection adds the token.
        options = {"os_project_id": user.project_id}
        conf = {
            "client_uuid": client_id,
            "auth_opts": {"backend": "noauth", "options": options},
        }
        super().__init__(endpoint, version=2, conf=conf)
        self._http_transport = HttpTransport(self.conf)
        self._http_transport.client = _Connection(user)

    def _get_transport(self, request: object) -> HttpTransport:  # noqa: ARG002
        return self._http_transport


class _Connection:
    """What python-zaqarclient uses of requests, with a user, a timeout and a check."""

    def __init__(self, user: User) -> None:
        self._user = user

    def request(self, method: str, **options: Any) -> Response:
        options.pop("verify", None)  # the session knows
        url = options.pop("url")
        response = self._user.request(url, method, **options)
        # The client itself knows 400 to 409, 500 and 503, and lets the others,
        # 413 and 502 among them, pass as success.
        known = response.status_code in HttpTransport.http_to_zaqar
        if not response.ok and (not known or response.status_code >= 500):
            raise from_status(response.status_code, redact.url(url), response.reason)
        if response.ok and response.content and not is_json(response):
            # The client would take it for an empty answer.
            raise from_stranger(redact.url(url))
        return response


def _translated(error: Any, target: str) -> SignalError:
    return SignalError(f"{target} refused the result: {brief(str(error))}")
