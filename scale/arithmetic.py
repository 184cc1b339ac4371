# SPDX-License-Identifier: Apache-2.0
"""How many of each part so many servers need: from what was measured, and what is assumed.

``python -m scale.arithmetic`` prints the table of docs/scale.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

# Of a core, at most, so that a burst finds room.
LOAD = 0.5
# Seconds between two looks of a server that is idle: os-collect-config's polling interval of 30,
# with a fifth more and less up to a fifth at random.
IDLE_LOOK = 30 * 1.2 * 0.9
# Seconds between two looks of a server whose websocket is up.
PUSHED_LOOK = 600.0
# Seconds of life of a token, after which a server that is a user asks Keystone for another.
TOKEN = 3600.0


class Costs(NamedTuple):
    """What was measured; milliseconds of CPU, on the machine of docs/scale.md."""

    look: float
    """Zaqar: a server that looks at its queue and finds nothing, with a signed address."""
    look_redis: float
    """Redis, for the same."""
    deployment: float
    """Zaqar: one deployment, from its post to its acknowledgement, with signed addresses."""
    deployment_redis: float
    """Redis, for the same."""
    token: float
    """Keystone: a token for a user's password."""


# `make bench-scale N=200`, see docs/scale.md.
MEASURED = Costs(look=2.5, look_redis=0.33, deployment=35, deployment_redis=4.5, token=260)
SIZES = (1_000, 10_000, 100_000)


class Needs(NamedTuple):
    """What so many servers need."""

    servers: int
    looks: float
    """Requests a second while nothing happens, polling."""
    polling: int
    """Zaqar processes for them."""
    update: int
    """Zaqar processes for an update of all within ten minutes."""
    redis: int
    """Pools for that update."""
    pushed: float
    """Requests a second with websockets."""
    tokens: float
    """Tokens a second, where servers are users."""


def needs(servers: int, costs: Costs, within: float = 600.0) -> Needs:
    """What so many servers need, with an update of all within so many seconds."""
    looks = servers / IDLE_LOOK
    updates = servers / within
    busy = looks * costs.look + updates * costs.deployment
    busy_redis = looks * costs.look_redis + updates * costs.deployment_redis
    return Needs(
        servers,
        looks,
        _processes(looks * costs.look),
        _processes(busy),
        _processes(busy_redis),
        servers / PUSHED_LOOK,
        servers / TOKEN,
    )


def _processes(milliseconds: float) -> int:
    """How many processes do so much work each second."""
    return max(math.ceil(milliseconds / 1000 / LOAD), 1)


def table(costs: Costs, *counts: int) -> list[str]:
    """The table, as Markdown."""
    found = [needs(count, costs) for count in counts]
    rows: list[tuple[str, list[str]]] = [
        ("looks a second, idle, polling", [f"{each.looks:.0f}" for each in found]),
        ("Zaqar processes for them", [str(each.polling) for each in found]),
        ("Zaqar processes, an update of all in ten minutes", [str(each.update) for each in found]),
        ("Redis masters (pools) for that", [str(each.redis) for each in found]),
        ("looks a second, idle, with websockets", [f"{each.pushed:.1f}" for each in found]),
        ("tokens a second, where servers are users", [f"{each.tokens:.1f}" for each in found]),
        (
            "Keystone's share of a core for those",
            [f"{each.tokens * costs.token / 1000:.1%}" for each in found],
        ),
    ]
    head = [f"| servers | {' | '.join(f'{count:,}'.replace(',', ' ') for count in counts)} |"]
    return [
        *head,
        f"| --- |{' --- |' * len(counts)}",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows),
    ]


if __name__ == "__main__":
    print("\n".join(table(MEASURED, *SIZES)))
