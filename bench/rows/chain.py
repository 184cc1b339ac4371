# SPDX-License-Identifier: Apache-2.0
"""How long a chain of dependent deployments takes to create, and what of that is Heat's own time.

What the floor is, and the second one: :mod:`bench.chains`. The peer is os-collect-config with
heat-agents on Heat alone, by ZAQAR_MESSAGE and HEAT_SIGNAL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import chains
from bench.chains import FLOOR, LENGTH, PEER, POLLING, SECOND_FLOOR, SIGNED, WEBSOCKET
from bench.figure import Figure, sample
from bench.given import Given
from lab import Lab
from lab.stack import Heat

WAYS = (WEBSOCKET, POLLING)
# With Heat's plug-in also without a user for the server.
PLUGGED_WAYS = (*WAYS, SIGNED)


def measure(given: Given) -> Iterator[Figure]:
    """Create the chains, in turns: with Heat alone, then with Heat's plug-in."""
    runs = given.either(1, 5)
    folder = given.folder / "chain"
    alone = _times(given.lab, folder / "alone", (FLOOR, SECOND_FLOOR, *WAYS), runs)
    # One takes more than three minutes.
    peers = _times(given.lab, folder / "peer", (PEER,), given.either(0, 1))[PEER]
    plugged = _times(given.plugged, folder / "plugged", (FLOOR, *PLUGGED_WAYS), runs, plugin=True)
    peer = sample(peers)
    for way in WAYS:
        name, ours = f"chain of {LENGTH}, Heat alone, {way}", sample(alone[way])
        yield Figure(name, "s", ours, peer, sample(alone[FLOOR]))
        name, floor = f"{name} (floor: for Heat's second look)", sample(alone[SECOND_FLOOR])
        yield Figure(name, "s", ours, None, floor)
    for way in PLUGGED_WAYS:
        name, floor = f"chain of {LENGTH}, plug-in, {way}", sample(plugged[FLOOR])
        yield Figure(name, "s", sample(plugged[way]), peer, floor)


def _times(
    lab: Lab, folder: Path, names: Sequence[str], runs: int, *, plugin: bool = False
) -> dict[str, list[float]]:
    """Seconds, by contender."""
    heat = Heat(lab.environment())
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(runs):
        for name in names:
            root = folder / f"{name}-{number}"
            times[name].append(chains.taken(heat, name, root, plugin=plugin))
    return times
