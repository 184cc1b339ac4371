# SPDX-License-Identifier: Apache-2.0
"""A chain of ten deployments with the plug-in, and its floor: see bench.chains."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import chains
from compare.side import Side

# Chains of each; they are run in turns.
RUNS = 3


class Times(NamedTuple):
    """Medians, in seconds."""

    floor: float
    """Of a program that answers at once."""
    agent: float
    """Of our agent with a websocket."""

    def lines(self) -> dict[str, str]:
        """As the table has them."""
        return {
            "chain of 10, floor": f"{self.floor:.1f} s",
            "chain of 10, our agent with a websocket": f"{self.agent:.1f} s",
        }


def measure(side: Side, folder: Path) -> Times:
    """Create the chains in turns."""
    contenders = (chains.FLOOR, chains.WEBSOCKET)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(RUNS):
        for name in contenders:
            root = folder / f"{name}-{number}"
            times[name].append(chains.taken(side.heat, name, root, plugin=True))
    return Times(*(median(times[name]) for name in contenders))
