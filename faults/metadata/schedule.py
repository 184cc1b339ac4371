# SPDX-License-Identifier: Apache-2.0
"""What happens in a schedule, drawn by a seed: the same seed and number, the same schedule."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from faults.schedule import AFTER, BEFORE, KILLS, Crash

# Where the process ends, or is hindered; in turn, so that a few schedules have all.
FAMILIES = ("post", "list", "write", "delete", "commit", "clock", "power", "wire", "claim", "two")

# Requests of one look that finds something: a token, three lists, one deletion.
LOOK = 5
# So many operations on files does a run with something new have, before and after each.
CRASH_POINTS = 44

# A post of Heat's while a request is under way: before Zaqar has got it, or after.
POSTS = ("post-before", "post-after")


@dataclass(frozen=True)
class Life:
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
    requests: tuple[str, ...] = ()
    """What befalls the next requests to Zaqar."""
    crash: Crash | None = None
    kill_after: float = 0.0
    """Seconds until it is killed."""
    command: str = ""
    """Its command: "kills" its parent before the commit, "fails"."""
    away: str = ""
    """The service that refuses connections."""

    def __str__(self) -> str:
        told = (f"{name}: {value}" for name, value in asdict(self).items() if value)
        return "; ".join(told)


@dataclass(frozen=True)
class Schedule:
    """One server's life."""

    seed: int
    number: int
    family: str
    lives: tuple[Life, ...]

    def lines(self) -> list[str]:
        """What happens in it, for people."""
        head = f"schedule {self.number} of seed {self.seed}: {self.family}"
        return [head, *(f"  {life}" for life in self.lives)]


def make(seed: int, number: int) -> Schedule:
    """Draw a schedule."""
    # A text as the seed: the same on every Python, and neighbours are not alike.
    random = Random(f"metadata/{seed}/{number}")  # noqa: S311 - no secret
    family = FAMILIES[number % len(FAMILIES)]
    drawing = _Drawing(random, number)
    lives = [drawing.life(family)]
    lives += [drawing.life(random.choice(FAMILIES)) for _ in range(random.randint(1, 3))]
    return Schedule(seed, number, family, tuple(lives))


class _Drawing:
    def __init__(self, random: Random, number: int) -> None:
        self._random = random
        self._number = number

    def life(self, family: str) -> Life:
        random = self._random
        posts = random.choice((0, 1, 1, 2, 3, 25 if self._chance(0.2) else 1))
        rubbish = self._chance(0.15)
        service = self._chance(0.3)
        websocket = service and self._chance(0.4)
        kill_after = round(random.uniform(0.4, 1.2), 2) if service else 0.0
        life = Life(posts, rubbish, service=service, websocket=websocket, kill_after=kill_after)
        befalls: dict[str, Any] = getattr(self, f"_{family}")()
        return replace(life, **befalls)

    def _post(self) -> dict[str, Any]:
        """Heat posts between any two steps, and the process may be killed right after."""
        steps = ["ok"] * self._random.randrange(LOOK)
        steps.append(self._random.choice(POSTS))
        if self._chance(0.5):
            steps.append(self._random.choice(KILLS))
        return {"requests": tuple(steps)}

    def _list(self) -> dict[str, Any]:
        return {"requests": ("ok",) * self._random.randrange(3) + (self._random.choice(KILLS),)}

    def _write(self) -> dict[str, Any]:
        """Every point in its turn: the first half of a run's operations are the collector's."""
        return {"crash": Crash(self._number % (CRASH_POINTS // 2) + 1)}

    def _delete(self) -> dict[str, Any]:
        return {"requests": ("ok", "ok", "ok", self._random.choice(KILLS))}

    def _commit(self) -> dict[str, Any]:
        if self._chance(0.4):
            return {"command": self._random.choice(("kills", "kills", "fails"))}
        return {"crash": Crash(CRASH_POINTS // 2 + self._number % (CRASH_POINTS // 2) + 1)}

    def _clock(self) -> dict[str, Any]:
        return {"kill_after": round(self._random.uniform(0.02, 0.9), 3)}

    def _power(self) -> dict[str, Any]:
        share = self._random.choice((1.0, 1.0, 0.5))
        return {"crash": Crash(self._random.randint(1, CRASH_POINTS), power=share)}

    def _wire(self) -> dict[str, Any]:
        steps = (*BEFORE, *AFTER, "ok", "ok", *POSTS)
        away = self._random.choice(("", "", "", "keystone", "zaqar"))
        count = self._random.randint(1, 6)
        return {"requests": tuple(self._random.choice(steps) for _ in range(count)), "away": away}

    def _claim(self) -> dict[str, Any]:
        claim = self._random.choice(("take", "take", "let go"))
        more = self._post() if self._chance(0.5) else {}
        return {"claim": claim, "posts": self._random.randint(1, 3), **more}

    def _two(self) -> dict[str, Any]:
        return {"twin": True, **(self._post() if self._chance(0.5) else self._clock())}

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
