# SPDX-License-Identifier: Apache-2.0
"""Draws what befalls the requests of a server with some deployments, and who is away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from faults.results.schedule import QUEUES, RESOURCES, SIGNED, URLS
from faults.schedule import AFTER, BEFORE, CFN, HEAT, KEYSTONE, KILLS, ZAQAR, Drawing


class Trouble(Drawing):
    """Draws it for the deployments that were named last."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._wires: list[str] = []

    def use(self, slots: Iterable[str]) -> None:
        """Say which deployments the server has."""
        slots = list(slots)
        self._wires = [wire for wire in (KEYSTONE, ZAQAR, HEAT, CFN) if _is_used(wire, slots)]

    def queues(self) -> list[str]:
        """Deployments that answer over queues, in a row: of a user's queues, or of signed ones."""
        first, others = (SIGNED, QUEUES) if self.chance(0.35) else (QUEUES, SIGNED)
        return [*first, *others]

    def away(self, chance: float) -> dict[str, Any]:
        """Perhaps services that refuse connections, for a while or until the attempt has ended."""
        if not self.chance(chance):
            return {}
        away = tuple(each for each in self._wires if self.chance(0.4)) or (KEYSTONE,)
        return {"away": away, "back_after": self.random.choice((None, None, 0.4, 0.8, 1.2))}

    def kills(self) -> dict[str, tuple[str, ...]]:
        """The agent is killed while one of its requests is on its way."""
        wire = self.random.choice(
            [wire for wire in self._wires if wire != KEYSTONE] * 3 + [KEYSTONE]
        )
        before = [self._step(wire, 5) for _ in range(self.random.choice((0, 0, 0, 1, 2)))]
        kill = (*before, self.random.choice(KILLS))
        if wire == HEAT and ZAQAR in self._wires:
            # Heat is asked when it is unconfirmed whether a post has arrived.
            return {wire: kill, ZAQAR: (self.random.choice(AFTER),)}
        return {wire: kill}

    def requests(
        self, deployments: int, patience: float, chance: float
    ) -> dict[str, tuple[str, ...]]:
        """Perhaps something that befalls the next requests."""
        if not self.chance(chance):
            return {}
        length = {KEYSTONE: 2 * deployments, ZAQAR: 5 * deployments, HEAT: 2, CFN: 2}
        odds = {KEYSTONE: 0.25, ZAQAR: 0.85, HEAT: 0.4, CFN: 0.6}
        return {
            wire: tuple(self._step(wire, patience) for _ in range(self.random.randint(1, most)))
            for wire, most in length.items()
            if wire in self._wires and self.chance(odds[wire])
        }

    def _step(self, wire: str, patience: float) -> str:
        if self.chance(0.3):
            return "ok"
        if patience < 2 and self.chance(0.15):
            return self.random.choice(("timeout", "timeout-after", "late"))
        # A token has no second copy: what happens after Keystone has made one is the same.
        kinds = BEFORE if wire == KEYSTONE else BEFORE + AFTER * 3
        return self.random.choice(kinds)


def _is_used(wire: str, slots: Iterable[str]) -> bool:
    """Whether a server with these deployments talks to a service."""
    reached = {CFN: URLS, ZAQAR: QUEUES + SIGNED}.get(wire, QUEUES + RESOURCES)
    return any(each in reached for each in slots)
