# SPDX-License-Identifier: Apache-2.0
"""A server's metadata: what Heat's database has of them, posted to the server's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heat_plugin import posting, stored

if TYPE_CHECKING:
    from heat_plugin.posting import Stored
    from heat_plugin.stack import StackZaqar


class ServerMetadata:
    """Those of the server with this physical id. Where it has no queue, nothing is posted."""

    def __init__(self, context: Any, zaqar: StackZaqar, server_id: str) -> None:
        self._context = context
        self._zaqar = zaqar
        self._server_id = server_id

    def deployments(self) -> frozenset[str]:
        """The ids of the configs that the server is asked for; none where it has no queue."""
        found = self._read()
        listed = found.metadata.get("deployments", []) if found else []
        return frozenset(each["id"] for each in listed)

    def post(self) -> None:
        """Post what is stored.

        :raises CloudError: Zaqar did not serve it, or they are too large.
        """
        posting.post_current(self._read, self._put)

    def post_packed(self, reason: str) -> None:
        """Post what is stored compressed: Zaqar has refused its size, in these words.

        :raises CloudError: Zaqar did not serve it, or they are too large all the same.
        """

        def put(found: Stored) -> None:
            self._require_unpacking(found, reason)
            queue = self._zaqar.queue(found.queue)
            posting.post_packed(queue, found.metadata, self._zaqar.ttl)

        posting.post_current(self._read, put)

    def _put(self, found: Stored) -> None:
        queue = self._zaqar.queue(found.queue)
        if found.is_signed:
            posting.post(queue, found.metadata, self._zaqar.ttl)
        else:
            queue.post(found.metadata, self._zaqar.ttl)

    def _require_unpacking(self, found: Stored, reason: str) -> None:
        if not found.is_signed:
            raise posting.unpackable(self._server_id, reason)

    def _read(self) -> Stored | None:
        return stored.of_server(self._context, self._server_id)
