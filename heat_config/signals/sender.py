# SPDX-License-Identifier: Apache-2.0
"""What a transport can do. It decides nothing: when, how often and whether at all is policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from heat_config.cloud.errors import Outcome
    from heat_config.result import Result


class Sender(Protocol):
    """One deployment's way back to Heat."""

    limit: int
    """Bytes that a result may have as ASCII JSON."""

    def post(self, result: Result) -> str:
        """Send a result once; return where it was accepted, fit for a log.

        :raises CloudError: it was not accepted, or nobody knows.
        """


class QueueSender(Sender, Protocol):
    """A way on which a copy may stay behind."""

    def find(self) -> Outcome:
        """PRESENT or ABSENT: whether this config's result is on the queue; ACKNOWLEDGED.

        :raises CloudError: the queue cannot be looked at.
        """

    def remove(self) -> None:
        """Remove this config's result from the queue; that there is none is fine.

        :raises CloudError: nobody knows whether one is left.
        """
