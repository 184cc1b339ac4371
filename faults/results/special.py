# SPDX-License-Identifier: Apache-2.0
"""Draws the schedules in which something of the server itself changes, or many are at work.

clock     the server boots in 1970 or 2040 and its clock jumps, at any time; only the timer delivers
mounts    deployed/ and outbox/ are file systems of their own, read-only or full for a while; only
          the timer comes back to what is unfinished
forced    an operator's forced run is cut, and plain runs follow
agents    two runs and the timer at once, with a result that is still pending
versions  between a kill and the next run the agent is upgraded, or downgraded and upgraded again
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faults.insides import DELIVER, DEPLOYED, FORCE, OUTBOX, RESUME, RUN, TIMER
from faults.machine import EARLY, LATE, RIGHT, TOMORROW
from faults.results.schedule import (
    CLOCK,
    ENTRIES,
    FULL,
    NEWER,
    OLDER,
    QUEUES,
    RESOURCES,
    RO,
    RW,
    URLS,
    Asked,
    Attempt,
    Change,
    Round,
    Schedule,
)
from faults.results.trouble import Trouble
from faults.schedule import HEAT, KEYSTONE, KILLS, ZAQAR, Crash

# The agent's time limit for a request.
PATIENCE = 5.0
# The crash points of a run while it keeps a result and sends it, and those of a forced run.
KEEPING = (15, 36)
WHEN_FORCED = 60


def make(seed: int, number: int, family: str) -> Schedule:
    """Draw a schedule of one of these families."""
    drawing = _Drawing(f"{seed}/{number}")
    drawn = FAMILIES[family](drawing)
    looks = drawing.random.choice((0.0, 0.0, 0.15, 0.5))
    fallback_after = drawing.random.choice((600.0, 600.0, 0.0))
    return Schedule(
        seed=seed,
        number=number,
        family=family,
        look_every=looks,
        fallback_after=fallback_after,
        patience=PATIENCE,
        **drawn,
    )


class _Drawing(Trouble):
    def clock(self) -> dict[str, Any]:
        slots = self.queues()[: self.random.choice((1, 1, 2))]
        if self.chance(0.2):
            slots[0] = self.random.choice(RESOURCES + URLS)
        asked = self._asked(slots, "plain", "fails", "slow")
        attempts = [Attempt(changes=self._clocks(EARLY, LATE), **self._trouble(slots))]
        for _ in range(self.random.choice((1, 2, 3))):
            programs = self.random.choice(((TIMER,), (TIMER,), (RUN,)))
            clocks = self._clocks(EARLY, LATE, TOMORROW, RIGHT)
            attempts.append(Attempt(programs=programs, changes=clocks, **self._trouble(slots)))
        return {"rounds": (Round(asked, tuple(attempts)),), "healers": (RUN, TIMER)}

    def _clocks(self, *clocks: str) -> tuple[Change, ...]:
        """What the clock says at the start, and perhaps what it jumps to."""
        first = Change(CLOCK, self.random.choice(clocks))
        if self.chance(0.5):
            return (first,)
        to = self.random.choice((RIGHT, RIGHT, EARLY, LATE))
        return first, Change(CLOCK, to, self._soon())

    def mounts(self) -> dict[str, Any]:
        slots = self.queues()[: self.random.choice((1, 1, 2))]
        asked = self._asked(slots, "plain", "fails", "slow")
        self.use(slots)
        requests = self.requests(len(slots), PATIENCE, 0.3)
        attempts = [Attempt(changes=self._spoiled(), requests=requests)]
        for _ in range(self.random.choice((0, 1, 2))):
            programs = self.random.choice(((TIMER,), (TIMER,), (RUN,)))
            attempts.append(Attempt(programs=programs, changes=self._spoiled()))
        rounds = (Round(asked, tuple(attempts)),)
        return {"rounds": rounds, "separate": True, "healers": (RESUME, TIMER)}

    def _spoiled(self) -> tuple[Change, ...]:
        """Which of the two file systems are read-only or full, and from when on."""
        folders = self.random.choice(((DEPLOYED,), (OUTBOX,), (OUTBOX,), (DEPLOYED, OUTBOX)))
        others = {DEPLOYED, OUTBOX} - set(folders)
        after = self._soon() if self.chance(0.3) else 0.0
        spoiled = [Change(each, self.random.choice((RO, FULL)), after) for each in folders]
        return (*(Change(each, RW) for each in sorted(others)), *spoiled)

    def forced(self) -> dict[str, Any]:
        slots = QUEUES[:1]
        asked = self._asked(slots, "plain", "fails", "slow")
        self.use(slots)
        rounds = (Round(asked, (Attempt(requests=self.requests(1, PATIENCE, 0.3)),)),)
        cut = Attempt(programs=(FORCE,), **self._cut())
        after = [
            Attempt(programs=(program,), requests=self.requests(1, PATIENCE, 0.3))
            for program in (RUN, self.random.choice((TIMER, RUN)))
        ]
        return {"rounds": rounds, "forced": (cut, *after)}

    def _cut(self) -> dict[str, Any]:
        """The end of a forced run: at a file, by a clock, or at a request of those that it has."""
        if self.chance(0.5):
            power = self.random.choice((0.0, 0.0, 1.0))
            return {"crash": Crash(self.random.randint(1, WHEN_FORCED), power=power)}
        if self.chance(0.5):
            kind = self.random.choice(("KILL", "KILL", "ALL", "TERM"))
            return {"signal": kind, "signal_after": self._soon()}
        wire = self.random.choice((HEAT, HEAT, KEYSTONE))
        return {"requests": {wire: (self.random.choice(KILLS),)}}

    def agents(self) -> dict[str, Any]:
        # Heat's list is in the order of the names: the pending one comes second.
        slots = ((QUEUES[0], QUEUES[1]), (URLS[0], QUEUES[1]), (URLS[0], RESOURCES[0]))
        late, early = self.random.choice(slots)
        self.use((early, late))
        first = self._asked((early,), "plain", "fails")
        rounds = (
            Round(first, (Attempt(**self._stopped(early)),), heals=False),
            Round(self._asked((late,), "long", "long", "slow"), self._at_once(), joins=True),
        )
        return {"rounds": rounds}

    def _at_once(self) -> tuple[Attempt, ...]:
        """Runs and timers, during whose time the pending result may come to its end."""
        if self.chance(0.4):
            # So long after the first that nothing waits any more.
            later = Change(CLOCK, TOMORROW, 1.0)
            programs = (RUN, TIMER, TIMER)
            return (Attempt(programs=programs, apart=0.6, changes=(later,)),)
        at_once = Attempt(
            programs=self.random.choice(((RUN, RUN, TIMER), (RUN, TIMER, RUN), (RUN, TIMER))),
            apart=self.random.choice((0.0, 0.1, 0.2)),
            requests=self.requests(2, PATIENCE, 0.4),
            **self.away(0.1),
        )
        more = (Attempt(programs=(TIMER, DELIVER)),) if self.chance(0.5) else ()
        return (at_once, *more)

    def versions(self) -> dict[str, Any]:
        slots = QUEUES[:1]
        asked = self._asked(slots, "plain", "fails")
        self.use(slots)
        programs = self.random.choice(((RUN,), (TIMER,), (RUN, TIMER), (DELIVER,)))
        changed = Change(ENTRIES, self.random.choice((OLDER, NEWER)))
        requests = self.requests(1, PATIENCE, 0.4)
        replaced = Attempt(programs=programs, changes=(changed,), requests=requests)
        more = [Attempt(programs=(RUN,))] if self.chance(0.5) else []
        return {"rounds": (Round(asked, (Attempt(**self._stopped(slots[0])), replaced, *more)),)}

    def _stopped(self, slot: str) -> dict[str, Any]:
        """Where a run of one deployment ends with a result that is pending."""
        wire = HEAT if slot in RESOURCES else ZAQAR
        if self.chance(0.2):
            return {"away": (self.random.choice((wire, KEYSTONE)),)}
        if self.chance(0.4):
            return {"requests": {wire: (self.random.choice(KILLS),)}}
        power = self.random.choice((0.0, 0.0, 1.0))
        return {"crash": Crash(self.random.randint(*KEEPING), power=power)}

    def _trouble(self, slots: list[str]) -> dict[str, Any]:
        self.use(slots)
        requests = self.requests(len(slots), PATIENCE, 0.5)
        return {"requests": requests, **self.away(0.6)}

    def _asked(self, slots: tuple[str, ...] | list[str], *behaviours: str) -> tuple[Asked, ...]:
        return tuple(Asked(slot, self.random.choice(behaviours)) for slot in slots)

    def _soon(self) -> float:
        """Seconds within which a run is still under way."""
        return round(self.random.uniform(0.05, 0.8), 2)


FAMILIES: dict[str, Callable[[_Drawing], dict[str, Any]]] = {
    "agents": _Drawing.agents,
    "versions": _Drawing.versions,
    "forced": _Drawing.forced,
    "clock": _Drawing.clock,
    "mounts": _Drawing.mounts,
}
