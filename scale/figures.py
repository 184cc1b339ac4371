# SPDX-License-Identifier: Apache-2.0
"""What was measured, in figures."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# A request as uWSGI logs it.
_REQUEST = re.compile(
    r"\] (?P<method>[A-Z]+) (?P<path>/\S*) => generated .*\(HTTP/1\.[01] (?P<status>\d+)\)"
)


class Spread(NamedTuple):
    """Seconds."""

    median: float
    most: float
    """Of 99 %."""
    worst: float

    def __str__(self) -> str:
        return f"{self.median:.2f} / {self.most:.2f} / {self.worst:.2f} s"


def spread(values: Sequence[float]) -> Spread | None:
    """Median, 99 % and worst; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(_share(ordered, 0.5), _share(ordered, 0.99), ordered[-1])


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def per_second(moments: Iterable[float], began: float) -> list[int]:
    """How many fall into each second from the beginning on."""
    counts = Counter(int(moment - began) for moment in moments if moment >= began)
    return [counts[second] for second in range(max(counts, default=-1) + 1)]


def requests(lines: Iterable[str]) -> Counter[str]:
    """How many requests of which kind a service has had, by its log."""
    found: Counter[str] = Counter()
    for line in lines:
        if match := _REQUEST.search(line):
            found[kind(match["method"], match["path"])] += 1
            if int(match["status"]) >= 400:
                found[f"answered {match['status']}"] += 1
    return found


def kind(method: str, path: str) -> str:
    """What a request is, without names and ids."""
    plain = path.partition("?")[0].rstrip("/")
    parts = plain.split("/")
    if parts[1:3] == ["v2", "queues"]:
        below = parts[4] if len(parts) > 4 else ""
        return f"{method} {below or 'queue'}"
    return f"{method} {plain or '/'}"
