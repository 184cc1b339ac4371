# SPDX-License-Identifier: Apache-2.0
"""When to look again."""

from __future__ import annotations

import random
import time


class Pace:
    """Quick after a change, then slower: a tenth of the time since, up to the interval.

    What takes a minute to change is then seen within seconds. Each wait is cut by up to a fifth
    at random, so that many servers do not keep step; the longest is the interval with a fifth
    added, so that what does not change costs no more than it would without that.
    """

    def __init__(self, least: float, interval: float) -> None:
        self._least = min(least, interval)
        self._interval = interval
        self._changed = time.monotonic()

    def changed(self) -> None:
        """Be quick again."""
        self._changed = time.monotonic()

    def wait(self) -> float:
        """Seconds until the next look."""
        idle = time.monotonic() - self._changed
        return jittered(min(max(self._least, idle / 10), 1.2 * self._interval))


def jittered(seconds: float) -> float:
    """Up to a fifth less, at random."""
    return seconds * random.uniform(0.8, 1)  # noqa: S311 - no secret


class Doubling:
    """Waits that double from the least up to the interval, as os-collect-config's do."""

    def __init__(self, least: float, interval: float) -> None:
        self._least = min(least, interval)
        self._interval = interval
        self._next = self._least

    def wait(self) -> float:
        """Seconds until the next time."""
        found, self._next = self._next, min(self._next * 2, self._interval)
        return found

    def reset(self) -> None:
        """Begin anew."""
        self._next = self._least
