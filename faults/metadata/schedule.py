# SPDX-License-Identifier: Apache-2.0
"""What happens in a schedule of the way in: the lives of one server's heat-config-collect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from faults import schedule
from faults.schedule import AFTER, BEFORE, KEYSTONE, KILLS, ZAQAR, Attempt, Crash, Drawing

# Where the process ends, or is hindered; in turn, so that a few schedules have all.
FAMILIES = ("post", "list", "write", "delete", "commit", "clock", "power", "wire", "claim", "two")

# Requests of one look that finds something: a token, three lists, one deletion.
LOOK = 5
# So many operations on files does a run with something new have, before and after each.
CRASH_POINTS = 44

# A post of Heat's while a request is under way: before Zaqar has got it, or after.
POSTS = ("post-before", "post-after")


@dataclass(frozen=True, kw_only=True)
class Life(Attempt):
    """One process, from its start to its end, and what befalls it."""

    posts: int = 1
    """Messages that Heat posts before it starts."""
    rubbish: bool = False
    """Whether something that is no metadata is posted too."""
    claim: str = ""
    """What another program does before it starts: "take" claims all, "let go" gives back."""
    service: bool = False
    """Whether it goes on until it is killed; else it collects once."""
    websocket: bool = False
    twin: bool = False
    """Whether a second one runs at the same time: an operator's --one-time."""
    command: str = ""
    """Its command: "kills" its parent before the commit, "fails"."""


@dataclass(frozen=True, kw_only=True)
class Schedule(schedule.Schedule):
    """One server's life."""

    lives: tuple[Life, ...]

    def details(self) -> list[str]:
        """Its lives."""
        return [str(life) for life in self.lives]


def make(seed: int, number: int) -> Schedule:
    """Draw a schedule."""
    family = FAMILIES[number % len(FAMILIES)]
    drawing = _Drawing(seed, number)
    lives = [drawing.life(family)]
    random = drawing.random
    lives += [drawing.life(random.choice(FAMILIES)) for _ in range(random.randint(1, 3))]
    return Schedule(seed=seed, number=number, family=family, lives=tuple(lives))


class _Drawing(Drawing):
    def __init__(self, seed: int, number: int) -> None:
        super().__init__(f"metadata/{seed}/{number}")
        self._number = number

    def life(self, family: str) -> Life:
        random = self.random
        posts = random.choice((0, 1, 1, 2, 3, 25 if self.chance(0.2) else 1))
        rubbish = self.chance(0.15)
        service = self.chance(0.3)
        websocket = service and self.chance(0.4)
        ends = _killed(round(random.uniform(0.4, 1.2), 2)) if service else {}
        befalls = getattr(self, f"_{family}")()
        life = Life(posts=posts, rubbish=rubbish, service=service, websocket=websocket, **ends)
        return replace(life, **befalls)

    def _post(self) -> dict[str, Any]:
        """Heat posts between any two steps, and the process may be killed right after."""
        steps = ["ok"] * self.random.randrange(LOOK)
        steps.append(self.random.choice(POSTS))
        if self.chance(0.5):
            steps.append(self.random.choice(KILLS))
        return _befall(*steps)

    def _list(self) -> dict[str, Any]:
        return _befall(*["ok"] * self.random.randrange(3), self.random.choice(KILLS))

    def _write(self) -> dict[str, Any]:
        """Every point in its turn: the first half of a run's operations are the collector's."""
        return {"crash": Crash(self._number % (CRASH_POINTS // 2) + 1)}

    def _delete(self) -> dict[str, Any]:
        return _befall("ok", "ok", "ok", self.random.choice(KILLS))

    def _commit(self) -> dict[str, Any]:
        if self.chance(0.4):
            return {"command": self.random.choice(("kills", "kills", "fails"))}
        return {"crash": Crash(CRASH_POINTS // 2 + self._number % (CRASH_POINTS // 2) + 1)}

    def _clock(self) -> dict[str, Any]:
        return _killed(round(self.random.uniform(0.02, 0.9), 3))

    def _power(self) -> dict[str, Any]:
        share = self.random.choice((1.0, 1.0, 0.5))
        return {"crash": Crash(self.random.randint(1, CRASH_POINTS), power=share)}

    def _wire(self) -> dict[str, Any]:
        steps = (*BEFORE, *AFTER, "ok", "ok", *POSTS)
        away = self.random.choice(((), (), (), (KEYSTONE,), (ZAQAR,)))
        count = self.random.randint(1, 6)
        return {**_befall(*(self.random.choice(steps) for _ in range(count))), "away": away}

    def _claim(self) -> dict[str, Any]:
        claim = self.random.choice(("take", "take", "let go"))
        more = self._post() if self.chance(0.5) else {}
        return {"claim": claim, "posts": self.random.randint(1, 3), **more}

    def _two(self) -> dict[str, Any]:
        return {"twin": True, **(self._post() if self.chance(0.5) else self._clock())}


def _befall(*steps: str) -> dict[str, Any]:
    """What befalls the next requests to Zaqar."""
    return {"requests": {ZAQAR: steps}}


def _killed(after: float) -> dict[str, Any]:
    return {"signal": "KILL", "signal_after": after}
