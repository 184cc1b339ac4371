# SPDX-License-Identifier: Apache-2.0
"""Queues of a stack: their names, what signs them, what reads them.

A name cannot be guessed. It is the one thing that keeps two servers of a stack apart over the
websocket, where Zaqar lets a signed address read its whole project (23.0.1).
"""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from heat_config.cloud import http, signed, zaqar
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests import Response

    from heat_config.cloud.zaqar import Connection, Message

# Who asks, for Zaqar, which would hide one's own messages: one name for the whole engine.
_CLIENT_ID = str(uuid.uuid4())

# An address outlives the stack's own timeout by this, in seconds: an acknowledgement that was
# posted at the last moment can be read for as long as it is there, and clocks may differ.
MARGIN = signed.ACKNOWLEDGED_FOR + 3600

# Of a deployment's address: post the result, look for it and for the acknowledgement.
RESULT_METHODS = ("GET", "POST")
# Of the address of its progress: the server posts, and whoever may read the deployment's inputs
# reads.
PROGRESS_METHODS = ("GET", "POST")


def new_name() -> str:
    """A name with 160 random bits; 52 of the 64 characters that a queue's name may have."""
    return f"heat-config-{secrets.token_hex(20)}"


class Queue:
    """One queue, in its stack's project.

    Every method asks Zaqar, and raises CloudError where that did not serve it.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._queue = zaqar.Queue(connection, name, _CLIENT_ID)

    def messages(self) -> list[Message]:
        """All that is there, the oldest first; nothing is taken."""
        return list(self._queue.unclaimed())

    def acknowledge(self, config_id: str) -> None:
        """Say that Heat has this config's result."""
        self._queue.post(signed.acknowledgement(config_id), signed.ACKNOWLEDGED_FOR)

    def post(self, body: object, ttl: int) -> None:
        """Post one message that lives for ``ttl`` seconds."""
        self._queue.post(body, ttl)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove messages; that one is already gone is fine."""
        self._queue.delete(ids)

    def address(self, endpoint: str, methods: Sequence[str], seconds: int) -> signed.Address:
        """Sign an address that opens this queue's messages.

        ``endpoint``: Zaqar's as the server reaches it; ``seconds``: how long it opens them.
        """
        end = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        wanted = {
            "paths": ["messages"],
            "methods": list(methods),
            "expires": end.strftime("%Y-%m-%dT%H:%M:%S"),
        }
        shared = self._ask("POST", "/share", json=wanted)
        if shared.status_code == 400:
            raise CloudError(
                "Zaqar does not sign (400): set secret_key in the section signed_url of zaqar.conf",
                Outcome.CONTENT_REFUSED,
            )
        return signed.from_shared(endpoint, self._name, _json(self._served(shared)))

    def metadata(self) -> dict[str, Any]:
        """What Zaqar knows of it, its limits among that."""
        return _json(self._served(self._ask("GET", "")))

    def delete(self) -> None:
        """Delete the queue with all that is on it; that it is already gone is fine."""
        self._served(self._ask("DELETE", ""), 404)

    def _ask(self, method: str, below: str, **options: Any) -> Response:
        url = f"{self._connection.endpoint().rstrip('/')}/v2/queues/{self._name}{below}"
        return self._connection.request(url, method, headers={"Client-ID": _CLIENT_ID}, **options)

    def _served(self, response: Response, *fine: int) -> Response:
        if not http.is_success(response) and response.status_code not in fine:
            raise http.from_status(
                response.status_code, f"Zaqar at {self._connection.endpoint()}", response.text
            )
        return response


def _json(response: Response) -> dict[str, Any]:
    found = response.json() if http.is_json(response) else None
    if not isinstance(found, dict):
        raise http.from_stranger("Zaqar")
    return found
