# SPDX-License-Identifier: Apache-2.0
"""Draws the schedules of the way out: the same seed and number, the same schedule."""

from __future__ import annotations

from faults.insides import DELIVER, FORCE, RUN, TORN
from faults.results import special
from faults.results.schedule import (
    AFTER_RUN,
    IN_HOOK,
    REBOOT,
    RESOURCES,
    URLS,
    Asked,
    Attempt,
    Round,
    Schedule,
)
from faults.results.trouble import Trouble
from faults.schedule import Crash

# So many crash points does a run with one deployment have, and a few more.
CRASH_POINTS = 48

# The schedules' emphasis goes round, so that also a few have something of everything. Where SPECIAL
# stands the families of faults.results.special have their turns.
SPECIAL = "special"
FAMILIES = (
    *("wire", "crash", "update", "kill", SPECIAL),
    *("crash", "disk", "power", SPECIAL, "two"),
)
# Every so many schedules the server is a booted one, which takes longer than all else.
REBOOT_EVERY = 50


def make(seed: int, number: int) -> Schedule:
    """Draw a schedule."""
    family = family_of(number)
    if family in special.FAMILIES:
        return special.make(seed, number, family)
    return _Drawing(seed, number, family).schedule()


def family_of(number: int) -> str:
    """What a schedule lays stress on."""
    if number % REBOOT_EVERY == REBOOT_EVERY - 1:
        return REBOOT
    family = FAMILIES[number % len(FAMILIES)]
    if family != SPECIAL:
        return family
    kinds = tuple(special.FAMILIES)
    return kinds[_earlier(SPECIAL, number) % len(kinds)]


def _earlier(family: str, number: int) -> int:
    """How many of the schedules before this one have this family."""
    turn, place = divmod(number, len(FAMILIES))
    return turn * FAMILIES.count(family) + FAMILIES[:place].count(family)


class _Drawing(Trouble):
    def __init__(self, seed: int, number: int, family: str) -> None:
        super().__init__(f"{seed}/{number}")
        self._seed = seed
        self._number = number
        self._family = family
        # Who kills, in the family of that name: the script, a request's fate, or a clock.
        self._killer = self.random.choice(("script", "request", "request", "clock"))

    def schedule(self) -> Schedule:
        patience = 1.0 if self.chance(0.15) else 5.0
        disk = self.random.choice((1, 2, 3)) << 20 if self._family == "disk" else 0
        return Schedule(
            seed=self._seed,
            number=self._number,
            family=self._family,
            rounds=tuple(self._rounds(patience, disk)),
            look_every=self.random.choice((0.0, 0.0, 0.15, 0.5)),
            fallback_after=self.random.choice((600.0, 600.0, 0.0)),
            patience=patience,
            disk=disk,
            forced=(Attempt(programs=(FORCE,)),) if self.chance(0.08) else (),
        )

    def _rounds(self, patience: float, disk: int) -> list[Round]:
        single = self._family in ("crash", "power", REBOOT)
        slots = self._slots(1 if single else self.random.choice((1, 1, 2, 3)))
        self.use(slots)
        count = self.random.choice((2, 2, 3)) if self._family == "update" else 1
        if self._family != "update" and self.chance(0.1):
            count = 2
        rounds = []
        for number in range(count):
            asked = tuple(self._asked(slot, disk) for slot in slots)
            attempts = tuple(self._attempts(len(slots), patience, disk))
            if number and self.chance(0.3):
                # The timer comes before the run that Heat's new wish starts.
                attempts = (Attempt(programs=(DELIVER,)), *attempts)
            last = number == count - 1
            heals = last or self.chance(0.4)
            rounds.append(Round(asked, attempts, heals=heals, emptied=self.chance(0.3)))
        return rounds

    def _slots(self, count: int) -> list[str]:
        slots = self.queues()
        if self.chance(0.2):
            slots[self.random.randrange(count)] = self.random.choice(RESOURCES + URLS)
        return slots[:count]

    def _asked(self, slot: str, disk: int) -> Asked:
        if self._family == REBOOT:
            meaning = self.random.choice(("", "", "rerun", "succeed"))
            return Asked(slot, "lasts", meaning)
        behaviours = ["plain"] * 8 + ["fails"] * 3 + ["slow"] * 2 + ["large", "no-hook"]
        if self._family == "kill" and self._killer == "script":
            behaviours = ["kills-agent", "terms-agent", "kills-hook", "kills-all"]
        elif disk:
            behaviours = ["plain", "fills-disk", "fills-disk", "large"]
        meaning = self.random.choice(("rerun", "succeed")) if self.chance(0.12) else ""
        return Asked(slot, self.random.choice(behaviours), meaning)

    def _attempts(self, deployments: int, patience: float, disk: int) -> list[Attempt]:
        first = (
            self._boots(patience)
            if self._family == REBOOT
            else [self._first(deployments, patience, disk)]
        )
        more = self.random.choice((0, 0, 1, 1, 2))
        return [*first, *(self._follow_up(patience) for _ in range(more))]

    def _boots(self, patience: float) -> list[Attempt]:
        """A server whose power goes twice: in the hook, and some time after the run."""
        delays = (0.0, 0.2, 1.0)
        return [
            Attempt(programs=(), boot=IN_HOOK, signal_after=self.random.choice(delays)),
            Attempt(
                programs=(),
                requests=self.requests(1, patience, 0.5),
                boot=AFTER_RUN,
                signal_after=self.random.choice(delays),
            ),
        ]

    def _first(self, deployments: int, patience: float, disk: int) -> Attempt:
        """The attempt in which the configs are run, with the family's own fault."""
        if self._family == "crash":
            crash = Crash(self._crash_point(), of="hook" if self.chance(0.1) else "agent")
            return Attempt(crash=crash, requests=self.requests(1, patience, 0.3))
        if self._family == "power":
            crash = Crash(self._crash_point(), power=self.random.choice((1.0, 1.0, 0.5)))
            return Attempt(crash=crash, requests=self.requests(1, patience, 0.3))
        if self._family == "kill":
            return self._killed(deployments, patience)
        if self._family == "disk":
            room = self.random.choice((None, 0, 1_000, 5_000, 40_000, disk // 4))
            return Attempt(room=room, requests=self.requests(deployments, patience, 0.3))
        if self._family == "two":
            programs = self.random.choice(((RUN, RUN), (RUN, DELIVER), (RUN, RUN, RUN)))
            requests = self.requests(deployments, patience, 0.6)
            return Attempt(programs=programs, requests=requests, **self.away(0.2))
        return Attempt(requests=self.requests(deployments, patience, 0.9), **self.away(0.25))

    def _killed(self, deployments: int, patience: float) -> Attempt:
        if self._killer == "request":
            return Attempt(requests=self.kills())
        if self._killer == "script":
            return Attempt(requests=self.requests(deployments, patience, 0.5))
        return Attempt(
            signal=self.random.choice(("KILL", "KILL", "ALL", "TERM")),
            signal_after=round(self.random.uniform(0.05, 1.3), 2),
            requests=self.requests(deployments, patience, 0.3),
        )

    def _crash_point(self) -> int:
        """Every point in its turn, by the schedules before this one."""
        return (_earlier(self._family, self._number) + self._seed) % CRASH_POINTS + 1

    def _follow_up(self, patience: float) -> Attempt:
        """Another run, or a delivery, while things are still bad."""
        choices: tuple[tuple[str, ...], ...] = ((RUN,), (DELIVER,), (DELIVER,))
        if self._family == "two":
            choices = ((RUN, DELIVER), (DELIVER, DELIVER))
        crash = Crash(self.random.randint(1, 30)) if self.chance(0.15) else None
        return Attempt(
            programs=self.random.choice(choices),
            requests=self.requests(1, patience, 0.7),
            crash=crash,
            torn=self.random.choice(tuple(TORN)) if self.chance(0.15) else "",
            **self.away(0.2),
        )
