# SPDX-License-Identifier: Apache-2.0
"""What happens in a schedule, drawn by a seed: the same seed and number, the same schedule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

# Names of wires; see faults.world.
KEYSTONE, ZAQAR, HEAT, CFN = "keystone", "zaqar", "heat", "cfn"

# What may befall a request; see faults.wires. The answers in the service's place come with
# "-after" when the service has got the request, as behind a gateway.
BEFORE = ("reset", "stall", "garbage", "page", "500", "502", "503", "504", "429", "413", "404")
AFTER = ("lose-answer", "stall-after", "500-after", "502-after", "503-after", "504-after")
KILLS = ("kill-before", "kill-sent", "kill-after", "term-before", "term-after")

# The deployments of the stack, by the way of their signal.
QUEUES = ("zaqar-0", "zaqar-1", "zaqar-2")
RESOURCES = ("heat-0",)
URLS = ("cfn-0",)

# So many crash points does a run with one deployment have, and a few more.
CRASH_POINTS = 48

# The schedules' emphasis goes round, so that also a few have something of everything.
FAMILIES = ("wire", "crash", "update", "kill", "wire", "crash", "disk", "power", "wire", "two")
# Every so many schedules the server is a booted one, which takes longer than all else.
REBOOT = "reboot"
REBOOT_EVERY = 50

# When the power of a booted server goes.
IN_HOOK, AFTER_RUN = "in the hook", "after the run"


@dataclass(frozen=True)
class Asked:
    """One config that Heat asks for."""

    slot: str
    """The deployment in the stack."""
    behaviour: str = "plain"
    """What the script does; see faults.scripts."""
    interrupted: str = ""
    """The config's option of that name."""


@dataclass(frozen=True)
class Crash:
    """A crash of the agent, or of a hook, at one of its operations on files."""

    at: int
    """The how-manyeth point: before an operation (odd), after it (even)."""
    of: str = "agent"
    power: float = 0.0
    """A power cut: this share of what was not flushed to the disk is lost."""


@dataclass(frozen=True)
class Attempt:
    """Programs of the agent that run at once, and what befalls them."""

    programs: tuple[str, ...] = ("run",)
    requests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What befalls the next requests on each wire."""
    away: tuple[str, ...] = ()
    """The services that refuse connections."""
    back_after: float | None = None
    """Seconds after which these are back; None: not while this attempt runs."""
    signal: str = ""
    """KILL or TERM for the agent, ALL for its hook too."""
    signal_after: float = 0.0
    crash: Crash | None = None
    boot: str = ""
    """In place of programs: a server boots, whose power goes at this time."""
    room: int | None = None
    """Bytes that are free on the server's disk when it begins."""
    torn: str = ""
    """What a crash has left behind: see faults.machine."""

    def __str__(self) -> str:
        told = (f"{name}: {value}" for name, value in asdict(self).items() if value not in _NOTHING)
        return "; ".join(told)

    @property
    def is_cut(self) -> bool:
        """Whether the agent, or a hook, may be ended in it, or the disk be full."""
        kills = any(each in KILLS for steps in self.requests.values() for each in steps)
        return bool(kills or self.signal or self.crash or self.boot or self.room is not None)


@dataclass(frozen=True)
class Round:
    """What Heat asks for at a time. A second round is an UPDATE of the same deployments."""

    asked: tuple[Asked, ...]
    attempts: tuple[Attempt, ...]
    heals: bool = True
    """Whether everything heals before the next round."""


@dataclass(frozen=True)
class Schedule:
    """One schedule."""

    seed: int
    number: int
    family: str
    rounds: tuple[Round, ...]
    look_every: float = 0.0
    """Seconds between Heat's looks at its queues while faults go on; 0: only after each attempt."""
    way_round: float = 600.0
    """The agent's HEAT_CONFIG_WAY_ROUND."""
    patience: float = 5.0
    """The agent's time limit for a request."""
    disk: int = 0
    """Bytes of the server's disk, when it has a small one."""
    force: bool = False
    """Whether an operator forces a config at the end."""

    def lines(self) -> list[str]:
        """What happens in it, for people."""
        found = [
            f"schedule {self.number} of seed {self.seed}: {self.family}",
            f"  Heat looks every {self.look_every:g} s; way round after {self.way_round:g} s; "
            f"a request may take {self.patience:g} s; disk {self.disk or 'large'}; "
            f"{'forced at the end' if self.force else 'not forced'}",
        ]
        for number, each in enumerate(self.rounds, start=1):
            asked = ", ".join(" ".join(filter(None, asdict(one).values())) for one in each.asked)
            heals = "" if each.heals else " (does not heal)"
            found.append(f"  round {number}{heals}: {asked}")
            found += [f"    {attempt}" for attempt in each.attempts]
        return found


def make(seed: int, number: int) -> Schedule:
    """Draw a schedule."""
    return _Drawing(seed, number).schedule()


class _Drawing:
    def __init__(self, seed: int, number: int) -> None:
        self._seed = seed
        self._number = number
        reboots = number % REBOOT_EVERY == REBOOT_EVERY - 1
        self._family = REBOOT if reboots else FAMILIES[number % len(FAMILIES)]
        # A text as the seed: the same on every Python, and neighbours are not alike.
        self._random = Random(f"{seed}/{number}")  # noqa: S311 - no secret
        self._wires: list[str] = []
        # Who kills, in the family of that name: the script, a request's fate, or a clock.
        self._killer = self._random.choice(("script", "request", "request", "clock"))

    def schedule(self) -> Schedule:
        patience = 1.0 if self._chance(0.15) else 5.0
        disk = self._random.choice((1, 2, 3)) << 20 if self._family == "disk" else 0
        return Schedule(
            seed=self._seed,
            number=self._number,
            family=self._family,
            rounds=tuple(self._rounds(patience, disk)),
            look_every=self._random.choice((0.0, 0.0, 0.15, 0.5)),
            way_round=self._random.choice((600.0, 600.0, 0.0)),
            patience=patience,
            disk=disk,
            force=self._chance(0.08),
        )

    def _rounds(self, patience: float, disk: int) -> list[Round]:
        single = self._family in ("crash", "power", REBOOT)
        slots = self._slots(1 if single else self._random.choice((1, 1, 2, 3)))
        count = self._random.choice((2, 2, 3)) if self._family == "update" else 1
        if self._family != "update" and self._chance(0.1):
            count = 2
        rounds = []
        for number in range(count):
            asked = tuple(self._asked(slot, disk) for slot in slots)
            attempts = tuple(self._attempts(slots, patience, disk))
            if number and self._chance(0.3):
                # The timer comes before the run that Heat's new wish starts.
                attempts = (Attempt(("deliver",)), *attempts)
            last = number == count - 1
            rounds.append(Round(asked, attempts, heals=last or self._chance(0.4)))
        return rounds

    def _slots(self, count: int) -> list[str]:
        slots = list(QUEUES)
        if self._chance(0.2):
            slots[self._random.randrange(count)] = self._random.choice(RESOURCES + URLS)
        return slots[:count]

    def _asked(self, slot: str, disk: int) -> Asked:
        if self._family == REBOOT:
            meaning = self._random.choice(("", "", "rerun", "succeed"))
            return Asked(slot, "lasts", meaning)
        behaviours = ["plain"] * 8 + ["fails"] * 3 + ["slow"] * 2 + ["large", "no-hook"]
        if self._family == "kill" and self._killer == "script":
            behaviours = ["kills-agent", "terms-agent", "kills-hook", "kills-all"]
        elif disk:
            behaviours = ["plain", "fills-disk", "fills-disk", "large"]
        meaning = self._random.choice(("rerun", "succeed")) if self._chance(0.12) else ""
        return Asked(slot, self._random.choice(behaviours), meaning)

    def _attempts(self, slots: list[str], patience: float, disk: int) -> list[Attempt]:
        self._wires = [wire for wire in (KEYSTONE, ZAQAR, HEAT, CFN) if _is_used(wire, slots)]
        first = (
            self._boots(patience)
            if self._family == REBOOT
            else [self._first(len(slots), patience, disk)]
        )
        more = self._random.choice((0, 0, 1, 1, 2))
        return [*first, *(self._follow_up(patience) for _ in range(more))]

    def _boots(self, patience: float) -> list[Attempt]:
        """A server whose power goes twice: in the hook, and some time after the run."""
        delays = (0.0, 0.2, 1.0)
        return [
            Attempt((), boot=IN_HOOK, signal_after=self._random.choice(delays)),
            Attempt(
                (),
                self._requests(1, patience, 0.5),
                boot=AFTER_RUN,
                signal_after=self._random.choice(delays),
            ),
        ]

    def _first(self, deployments: int, patience: float, disk: int) -> Attempt:
        """The attempt in which the configs are run, with the family's own fault."""
        random = self._random
        if self._family == "crash":
            crash = Crash(self._crash_point(), of="hook" if self._chance(0.1) else "agent")
            return Attempt(crash=crash, requests=self._requests(1, patience, 0.3))
        if self._family == "power":
            crash = Crash(self._crash_point(), power=random.choice((1.0, 1.0, 0.5)))
            return Attempt(crash=crash, requests=self._requests(1, patience, 0.3))
        if self._family == "kill":
            if self._killer == "request":
                return Attempt(requests=self._kills())
            if self._killer == "script":
                return Attempt(requests=self._requests(deployments, patience, 0.5))
            return Attempt(
                signal=random.choice(("KILL", "KILL", "ALL", "TERM")),
                signal_after=round(random.uniform(0.05, 1.3), 2),
                requests=self._requests(deployments, patience, 0.3),
            )
        if self._family == "disk":
            room = random.choice((None, 0, 1_000, 5_000, 40_000, disk // 4))
            return Attempt(room=room, requests=self._requests(deployments, patience, 0.3))
        if self._family == "two":
            choices = (("run", "run"), ("run", "deliver"), ("run", "run", "run"))
            return Attempt(
                random.choice(choices),
                self._requests(deployments, patience, 0.6),
                **self._away(0.2),
            )
        return Attempt(requests=self._requests(deployments, patience, 0.9), **self._away(0.25))

    def _crash_point(self) -> int:
        """Every point in its turn: the how-manyeth schedule with a crash this is."""
        turn, place = divmod(self._number, len(FAMILIES))
        earlier = FAMILIES[:place].count(self._family)
        return (turn * FAMILIES.count(self._family) + earlier + self._seed) % CRASH_POINTS + 1

    def _follow_up(self, patience: float) -> Attempt:
        """Another run, or a delivery, while things are still bad."""
        choices: tuple[tuple[str, ...], ...] = (("run",), ("deliver",), ("deliver",))
        if self._family == "two":
            choices = (("run", "deliver"), ("deliver", "deliver"))
        crash = Crash(self._random.randint(1, 30)) if self._chance(0.15) else None
        return Attempt(
            self._random.choice(choices),
            self._requests(1, patience, 0.7),
            crash=crash,
            torn=self._random.choice(TORN) if self._chance(0.15) else "",
            **self._away(0.2),
        )

    def _away(self, chance: float) -> dict[str, Any]:
        if not self._chance(chance):
            return {}
        away = tuple(each for each in self._wires if self._chance(0.4)) or (KEYSTONE,)
        return {"away": away, "back_after": self._random.choice((None, None, 0.4, 0.8, 1.2))}

    def _kills(self) -> dict[str, tuple[str, ...]]:
        """The agent is killed while one of its requests is on its way."""
        wire = self._random.choice(
            [wire for wire in self._wires if wire != KEYSTONE] * 3 + [KEYSTONE]
        )
        before = [self._step(wire, 5) for _ in range(self._random.choice((0, 0, 0, 1, 2)))]
        kill = (*before, self._random.choice(KILLS))
        if wire == HEAT and ZAQAR in self._wires:
            # Heat is asked when a post is in doubt.
            return {wire: kill, ZAQAR: (self._random.choice(AFTER),)}
        return {wire: kill}

    def _requests(
        self, deployments: int, patience: float, chance: float
    ) -> dict[str, tuple[str, ...]]:
        if not self._chance(chance):
            return {}
        length = {KEYSTONE: 2 * deployments, ZAQAR: 5 * deployments, HEAT: 2, CFN: 2}
        odds = {KEYSTONE: 0.25, ZAQAR: 0.85, HEAT: 0.4, CFN: 0.6}
        return {
            wire: tuple(self._step(wire, patience) for _ in range(self._random.randint(1, most)))
            for wire, most in length.items()
            if wire in self._wires and self._chance(odds[wire])
        }

    def _step(self, wire: str, patience: float) -> str:
        if self._chance(0.3):
            return "ok"
        if patience < 2 and self._chance(0.15):
            return self._random.choice(("timeout", "timeout-after", "late"))
        # A token has no second copy: what happens after Keystone has made one is the same.
        kinds = BEFORE if wire == KEYSTONE else BEFORE + AFTER * 3
        return self._random.choice(kinds)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability


def _is_used(wire: str, slots: Iterable[str]) -> bool:
    """Whether a server with these deployments talks to a service."""
    urls, others = (any((each in URLS) is url for each in slots) for url in (True, False))
    queues = any(each in QUEUES for each in slots)
    return {CFN: urls, ZAQAR: queues}.get(wire, others)


_NOTHING: tuple[object, ...] = ("", (), {}, None, 0.0)

TORN = ("entry-temporary", "deployed-temporary", "result-temporary", "ballast", "log")
