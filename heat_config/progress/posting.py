# SPDX-License-Identifier: Apache-2.0
"""One message to the queue that its address opens; imported when there is one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from heat_config.cloud import limits, signed, zaqar
from heat_config.cloud.trust import Trust

if TYPE_CHECKING:
    from heat_config.progress.channel import Post
    from heat_config.settings import Settings

# Seconds for one request in all, whatever comes meanwhile.
WITHIN = 5.0


class Posting:
    """Posts; keeps one connection for each address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client_id = str(uuid.uuid4())
        self._queues: dict[str, zaqar.Queue] = {}

    def post(self, address: str, post: Post) -> None:
        """Post one message.

        :raises CloudError: it was not accepted, or nobody knows; or the address is not usable.
        """
        with limits.within(WITHIN):
            self._queue(address).post(post.body, post.ttl)

    def _queue(self, address: str) -> zaqar.Queue:
        if address not in self._queues:
            parsed = signed.parse(address)
            connection = zaqar.AsSigned(parsed, Trust.from_settings(self._settings))
            self._queues[address] = zaqar.Queue(connection, parsed.queue, self._client_id)
        return self._queues[address]
