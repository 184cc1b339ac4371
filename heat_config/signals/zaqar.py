# SPDX-License-Identifier: Apache-2.0
"""ZAQAR_SIGNAL: the result is one message on the deployment's own queue.

Heat pops one message while the deployment is IN_PROGRESS and takes its body as
the result, so a second copy would be taken for the next update's. After a try
that may have arrived the result is therefore not posted again: Heat is told
itself, which ignores what it does not wait for. docs/architecture.md has the whole of it.

python-zaqarclient speaks the API; what it lacks (timeouts, kept connections, a
check of every status) is in the connection that it is given.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from zaqarclient.queues.v2.client import Client
from zaqarclient.transport import errors as zaqar_errors
from zaqarclient.transport.http import HttpTransport

from heat_config import log, redact
from heat_config.cloud.errors import CloudError
from heat_config.cloud.http import from_status, from_stranger, is_json
from heat_config.cloud.inputs import require
from heat_config.cloud.keystone import user_of
from heat_config.signals import heat
from heat_config.signals.sender import Accepted

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from heat_config.cloud.keystone import User
    from heat_config.delivery.outbox import Entry
    from heat_config.result import Result
    from heat_config.settings import Settings

# Zaqar's max_messages_post_size is 262 144 bytes for the whole request body;
# the rest is the envelope and the config's id.
LIMIT = 261_600

# How often Heat must not have answered before a result that may have arrived is
# posted again: one broken connection is no reason.
ASKED_OFTEN = 3

# In the message's body, whose other keys Heat ignores: whose result it is.
CONFIG_ID = "deploy_config_id"

# The name space of the Client-IDs: the same deployment always has the same.
_CLIENT_IDS = uuid.UUID("5d1cf1ab-6e2c-4d53-a3b8-0c1b6ab0a6c5")


class Queue:
    """The queue on which Heat waits for one deployment's result."""

    limit = LIMIT

    def __init__(self, entry: Entry, settings: Settings, before_heat: Callable[[], None]) -> None:
        (self._name,) = require(entry.values, "deploy_queue_id")
        self._id = entry.id
        self._ttl = settings.message_ttl
        self._user = user_of(entry.values, settings)
        self._heat = heat.Resource(entry, settings, self._user, before_heat)
        self._overdue = time.time() - entry.since > settings.way_round_after
        self._forced = entry.forced
        self._unheard = entry.tries if entry.doubt else 0
        self.doubt = entry.doubt
        self.heat_doubt = entry.heat_doubt

    def send(self, result: Result) -> Accepted:
        """Post the result, unless it is there or Heat may have it.

        :raises CloudError: it was not accepted.
        """
        if self._forced or self.heat_doubt:
            # Of a run that an operator forced nobody knows whether Heat waits for
            # it; and what Heat may have must not be put on the queue as well.
            return self._tell_heat(result)
        try:
            if not self.doubt:
                return self._post(result)
            if self._own(self._queue()):
                return Accepted(self._target)
        except CloudError as error:
            self.doubt |= error.uncertain
            if not (self._overdue and error.retry):
                raise
            log.warning(f"{error}; trying Heat itself, as it has been so for long")
            return self._go_round(result, error)
        # Heat has taken it from the queue, or it has never arrived there.
        return self._settle_doubt(result)

    def clean(self) -> None:
        """Remove this deployment's message if it is still on the queue.

        :raises CloudError: the queue cannot be looked at.
        """
        queue = self._queue()
        for message in self._own(queue):
            self._ask(lambda found=message: queue.delete_messages(found.id))

    def _post(self, result: Result) -> Accepted:
        queue = self._queue()
        body = {**result.as_dict(), CONFIG_ID: self._id}
        posted = self._ask(lambda: queue.post({"body": body, "ttl": self._ttl}))
        if not isinstance(posted, dict) or not posted.get("resources"):
            raise from_stranger(self._target)
        return Accepted(self._target)

    def _settle_doubt(self, result: Result) -> Accepted:
        """Tell Heat itself, which ignores a result that it has."""
        try:
            return self._tell_heat(result)
        except CloudError as error:
            if self.heat_doubt or not (error.retry or error.hopeless):
                raise
            if not self._overdue or self._unheard < ASKED_OFTEN:
                # It is on disk, and can wait until Heat answers.
                raise CloudError(str(error), retry=True) from None
            # Better a second copy than none; this is the window that remains.
            log.warning(f"{error}; posting the result although it may have arrived before")
            return self._post(result)

    def _go_round(self, result: Result, error: CloudError) -> Accepted:
        try:
            return self._tell_heat(result)
        except CloudError as second:
            log.warning(str(second))
            raise error from None

    def _tell_heat(self, result: Result) -> Accepted:
        try:
            accepted = self._heat.send(result.fitted(self._heat.limit, "the outbox"))
        except CloudError as error:
            self.heat_doubt |= error.uncertain
            self._unheard += self.doubt
            raise
        return accepted._replace(leaves_copy=self.doubt)

    def _own(self, queue: Any) -> list[Any]:
        """This deployment's own messages on the queue; another's are not touched."""
        # Without include_claimed, which Zaqar on Redis answers with 503: Heat
        # does not claim, it pops.
        found = self._ask(lambda: list(queue.messages(echo=True, limit=20)))
        return [
            message
            for message in found
            if isinstance(message.body, dict) and message.body.get(CONFIG_ID) == self._id
        ]

    def _queue(self) -> Any:
        endpoint = self._user.endpoint("messaging")
        self._target = f"queue {self._name} at {redact.url(endpoint)}"
        client_id = str(uuid.uuid5(_CLIENT_IDS, self._id))
        # The first message makes the queue: no need to ask whether it exists.
        client = _Client(endpoint, client_id, self._user)
        try:
            return client.queue(self._name, auto_create=False)
        except ValueError as error:
            raise CloudError(f"deploy_queue_id is not usable: {error}", hopeless=True) from None

    def _ask(self, request: Any) -> Any:
        try:
            return request()
        except zaqar_errors.TransportError as error:
            status = next(
                (code for code, kind in HttpTransport.http_to_zaqar.items() if type(error) is kind),
                400,
            )
            raise from_status(status, self._target, str(error)) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            # An answer with a good status that is not Zaqar's.
            raise from_stranger(self._target) from None


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
