# SPDX-License-Identifier: Apache-2.0
"""When to look again."""

from __future__ import annotations

import random
import time

# Of its time a server waits a fifth for answers, at most: a service that takes long to answer has
# too many that ask, and all of them ask less often.
PATIENT = 4.0
# Seconds after a change in which a queue is looked at twice as often that cannot wake the server.
EAGER = 60.0


def pause(
    idle: float, least: float, interval: float, *, eager: bool = False, took: float = 0.0
) -> float:
    """Seconds until the next look, so many after the last change: at most, see :func:`jittered`.

    What takes a minute to change is seen within seconds. The longest is the interval with a fifth
    added, so that what does not change costs no more than it would without jitter. ``eager``: for
    the first minute half of ``least``, which by itself is a second; then as without it.
    ``took``: the seconds of the last look.
    """
    least = min(least, interval)
    wanted = least / 2 if eager and idle < EAGER else max(least, idle / 10)
    return min(max(wanted, PATIENT * took), 1.2 * interval)


class Pace:
    """Quick after a change, then slower, and out of step with other servers; see :func:`pause`."""

    def __init__(self, least: float, interval: float, *, eager: bool = False) -> None:
        self._least = least
        self._interval = interval
        self._eager = eager
        self._took = 0.0
        self._changed = time.monotonic()

    def looked(self, seconds: float) -> None:
        """A look has taken so long."""
        self._took = seconds

    def changed(self) -> None:
        """Be quick again."""
        self._changed = time.monotonic()

    def wait(self) -> float:
        """Seconds until the next look."""
        idle = time.monotonic() - self._changed
        least, interval = self._least, self._interval
        return jittered(pause(idle, least, interval, eager=self._eager, took=self._took))


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
