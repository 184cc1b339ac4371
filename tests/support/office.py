# SPDX-License-Identifier: Apache-2.0
"""One server's outbox, and couriers as its agent makes them: a new one for each run and timer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heat_config import settings
from heat_config.delivery.courier import Courier
from heat_config.delivery.entry import Entry
from heat_config.delivery.outbox import Outbox
from heat_config.deployment import Deployment
from heat_config.result import from_dict
from heat_config.run.records import entry_of, records
from heat_config.run.store import Store

# Seconds in which a result comes to its end, whatever befalls it: the waits are short here.
PATIENCE = 60


class Office:
    """It waits for milliseconds where a server waits for seconds; ``variables`` are more settings.

    After two rounds the fallback comes.
    """

    config_id = "c1"

    def __init__(self, folder: Path, **variables: str) -> None:
        self.settings = settings.load(
            {
                "HEAT_CONFIG_DEPLOYED": str(folder / "deployed"),
                "HEAT_CONFIG_DEPLOYED_OLD": str(folder / "deployed-old"),
                "HEAT_CONFIG_OUTBOX": str(folder / "outbox"),
                "HEAT_CONFIG_LOGS": "/log",
                "HEAT_CONFIG_SETTINGS": str(folder / "heat-config.conf"),
                "HEAT_CONFIG_FIRST_WAIT": "0.001",
                "HEAT_CONFIG_FALLBACK_AFTER": "0.02",
                **variables,
            }
        )
        self.outbox = Outbox(self.settings)
        self._store = Store(self.settings)

    def send(
        self, address: dict[str, Any], message: dict[str, Any], *, forced: bool = False
    ) -> None:
        """Hand a result over and try to deliver it, as a run does."""
        target = Deployment(self.config_id, "name", "script", address, {})
        entry = entry_of(target, from_dict(message), self.settings, forced=forced)
        assert entry
        courier = self._courier()
        with self.outbox.locked() as box:
            courier.hand_over(box, entry)
            courier.pursue(box, entry)

    def timer(self) -> None:
        """What the timer does, at the moment when the result is due."""
        time.sleep(max(self.entry().due - time.time(), 0))
        self._courier().deliver_all(due_only=True)

    def timers_until(self, reached: Callable[[], object]) -> None:
        """What the timer does, until something has come of it."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, self.outbox.get(self.config_id)
            self.timer()

    def entry(self) -> Entry:
        """The result that is pending."""
        found = self.outbox.get(self.config_id)
        assert found
        return found

    def is_empty(self) -> bool:
        """Whether the result was delivered, and nothing of it is left to do."""
        return self.outbox.ids() == self.outbox.abandoned_ids() == []

    def _courier(self) -> Courier:
        return Courier(self.outbox, records(self._store, self.settings), self.settings)
