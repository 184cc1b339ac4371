# SPDX-License-Identifier: Apache-2.0
"""An outbox that keeps nothing, for whom another process keeps the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heat_config.delivery.entry import Entry


class Unkept:
    """What the courier needs of a box, without a file."""

    is_delivered = False

    def put(self, entry: Entry) -> None:
        """Note whether the result was accepted."""
        self.is_delivered = entry.stage.is_accepted

    def settle(self, config_id: str) -> None:  # noqa: ARG002 - there is one
        """The result was accepted, and nothing is left to do."""
        self.is_delivered = True

    def put_aside(self, entry: Entry) -> None:
        """The result cannot be delivered."""
