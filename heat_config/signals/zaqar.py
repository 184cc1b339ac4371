# SPDX-License-Identifier: Apache-2.0
"""ZAQAR_SIGNAL: the result is one message on the deployment's own queue.

Heat pops one message while the deployment is IN_PROGRESS and takes its body as the
result, so a second copy would be taken for the next update's. Whether there is one is
for :mod:`heat_config.delivery` to ask, and to prevent.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from heat_config.cloud import zaqar
from heat_config.cloud.errors import Outcome
from heat_config.cloud.inputs import require
from heat_config.cloud.signed import CONFIG_ID
from heat_config.signals.user import user_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from heat_config.cloud.keystone import User
    from heat_config.result import Result
    from heat_config.settings import Settings

# Zaqar's max_messages_post_size is 262 144 bytes for the whole request body;
# the rest is the envelope and the config's id.
LIMIT = 261_600

# The name space of the Client-IDs: the same deployment always has the same.
_CLIENT_IDS = uuid.UUID("5d1cf1ab-6e2c-4d53-a3b8-0c1b6ab0a6c5")


class Queue:
    """The queue on which Heat waits for one config's result; a message lives ``ttl`` seconds.

    :raises CloudError: the address names no usable queue.
    """

    limit = LIMIT

    def __init__(self, address: Mapping[str, Any], config_id: str, ttl: int, user: User) -> None:
        (name,) = require(address, "deploy_queue_id")
        self._queue = zaqar.Queue(zaqar.AsUser(user), name, client_id_of(config_id))
        self._id = config_id
        self._ttl = ttl

    def post(self, result: Result) -> str:
        """Post the result; return the queue, fit for a log.

        :raises CloudError: it was not accepted, or nobody knows.
        """
        return self._queue.post({**result.as_dict(), CONFIG_ID: self._id}, self._ttl)

    def find(self) -> Outcome:
        """Whether this config's result is on the queue.

        :raises CloudError: the queue cannot be looked at.
        """
        return Outcome.PRESENT if any(self._own()) else Outcome.ABSENT

    def remove(self) -> None:
        """Remove this config's result from the queue, another's is not touched.

        :raises CloudError: nobody knows whether one is left.
        """
        self._queue.delete([message.id for message in self._own()])

    def _own(self) -> Iterator[zaqar.Message]:
        # Heat does not claim, it pops: what is claimed is not asked for.
        for message in self._queue.unclaimed():
            if isinstance(message.body, dict) and message.body.get(CONFIG_ID) == self._id:
                yield message


def client_id_of(config_id: str) -> str:
    """Who posts, for Zaqar: a UUID."""
    return str(uuid.uuid5(_CLIENT_IDS, config_id))


def sender(address: Mapping[str, Any], config_id: str, settings: Settings) -> Queue:
    """The queue of a deployment.

    :raises CloudError: the address is not usable, or something on this server is not.
    """
    return Queue(address, config_id, settings.message_ttl, user_of(address, settings))


def prepare(address: Mapping[str, Any], settings: Settings) -> None:
    """Log in.

    :raises CloudError: that is not possible.
    """
    user_of(address, settings).token()
