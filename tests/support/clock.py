# SPDX-License-Identifier: Apache-2.0
"""Time that passes only when somebody sleeps, and that jumps."""

from __future__ import annotations

import pytest

from heat_config.delivery import courier
from heat_config.run import records

NOW = 1_800_000_000.0


class Clock:
    """In the place of the module ``time``, where results are made and delivered."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now
        """Seconds since the epoch; a test may set them."""
        self._uptime = 0.0

    def take_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (courier, records):
            monkeypatch.setattr(module, "time", self)

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self._uptime

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._uptime += seconds
