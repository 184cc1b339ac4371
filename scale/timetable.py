# SPDX-License-Identifier: Apache-2.0
"""Things that are to be done at a time, by many threads."""

from __future__ import annotations

import heapq
import itertools
import time
import traceback
from collections.abc import Callable, Iterable
from threading import Condition, RLock, Thread

# Seconds after which a task that has broken is done again.
AGAIN = 5.0

# Does what is due, and says when it is due again; None: never.
Task = Callable[[], float | None]


class Timetable:
    """Tasks by the monotonic moment at which each is due.

    One thread at a time waits for the next moment; those that have nothing to do wait for it.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Task]] = []
        self._numbers = itertools.count()
        lock = RLock()
        self._sooner, self._free = Condition(lock), Condition(lock)
        self._is_watched = False
        self._ended = False
        self.latest = 0.0
        """The most seconds that a task has begun after it was due."""

    def add(self, moment: float, task: Task) -> None:
        """Have a task done at a moment."""
        with self._sooner:
            heapq.heappush(self._due, (moment, next(self._numbers), task))
            self._sooner.notify()

    def end(self) -> None:
        """Begin no task any more."""
        with self._sooner:
            self._ended = True
            self._sooner.notify_all()
            self._free.notify_all()

    def work(self) -> None:
        """Do what is due, until the end."""
        while task := self._next():
            again = self._done(task)
            if again is not None:
                self.add(again, task)

    def _done(self, task: Task) -> float | None:
        """Do it; one that breaks is shown, and done again."""
        try:
            return task()
        except Exception:
            traceback.print_exc()
            return time.monotonic() + AGAIN

    def _next(self) -> Task | None:
        with self._free:
            while self._is_watched and not self._ended:
                self._free.wait()
            self._is_watched = True
            found = self._watched()
            self._is_watched = False
            self._free.notify()
            return found

    def _watched(self) -> Task | None:
        """Wait for the next moment."""
        while not self._ended:
            now = time.monotonic()
            if self._due and self._due[0][0] <= now:
                moment, _, task = heapq.heappop(self._due)
                self.latest = max(self.latest, now - moment)
                return task
            self._sooner.wait(self._due[0][0] - now if self._due else None)
        return None


def started(timetables: Iterable[Timetable], threads: int) -> list[Thread]:
    """Threads that work on each of them."""
    made = [Thread(target=one.work, daemon=True) for one in timetables for _ in range(threads)]
    for thread in made:
        thread.start()
    return made
