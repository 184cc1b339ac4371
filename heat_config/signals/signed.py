# SPDX-License-Identifier: Apache-2.0
"""ZAQAR_MESSAGE: the result is one message on a queue that a signed address opens.

Heat's plug-in makes a queue for each action, reads the result there, and leaves an
acknowledgement when Heat has it (:mod:`heat_config.cloud.signed`). A second copy does no
harm. There is no user, so nothing of Keystone or Heat is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heat_config.cloud import signed, zaqar
from heat_config.cloud.errors import Outcome
from heat_config.cloud.inputs import require
from heat_config.cloud.trust import Trust
from heat_config.signals.zaqar import LIMIT, client_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.result import Result
    from heat_config.settings import Settings


class SignedQueue:
    """The queue of one action of a deployment; a message lives ``ttl`` seconds.

    :raises CloudError: the address is not usable, or the file of certificates is not.
    """

    limit = LIMIT

    def __init__(self, address: Mapping[str, Any], config_id: str, ttl: int, trust: Trust) -> None:
        (text,) = require(address, "deploy_signal_id")
        parsed = signed.parse(text)
        connection = zaqar.AsSigned(parsed, trust)
        self._queue = zaqar.Queue(connection, parsed.queue, client_id_of(config_id))
        self._id = config_id
        self._ttl = ttl

    def post(self, result: Result) -> str:
        """Post the result; return the queue, fit for a log.

        :raises CloudError: it was not accepted, or nobody knows.
        """
        return self._queue.post({**result.as_dict(), signed.CONFIG_ID: self._id}, self._ttl)

    def find(self) -> Outcome:
        """What is on the queue: Heat's acknowledgement, the result, or neither.

        :raises CloudError: the queue cannot be looked at.
        """
        bodies = [message.body for message in self._queue.unclaimed()]
        if any(signed.acknowledges(body, self._id) for body in bodies):
            return Outcome.ACKNOWLEDGED
        is_there = any(signed.config_of(body) == self._id for body in bodies)
        return Outcome.PRESENT if is_there else Outcome.ABSENT

    def remove(self) -> None:
        """Nothing: the address does not permit it, and the queue ends with its action."""


def sender(address: Mapping[str, Any], config_id: str, settings: Settings) -> SignedQueue:
    """The queue of a deployment's action.

    :raises CloudError: the address is not usable, or something on this server is not.
    """
    return SignedQueue(address, config_id, settings.message_ttl, Trust.from_settings(settings))


def prepare(address: Mapping[str, Any], settings: Settings) -> None:
    """Nothing but the import of this module can be done before there is a result."""
