# SPDX-License-Identifier: Apache-2.0
"""What happens in a wave: which stacks there are, and what is broken under them in which phase."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import cycle, islice
from typing import NamedTuple

from faults.schedule import Drawing

PHASES = ("CREATE", "UPDATE", "DELETE")
# Stacks that go side by side.
WIDTH = 8


class Kind(Enum):
    """What is broken, and how. What is killed is started again after the injury's seconds."""

    ENGINE_KILLED = "a heat-engine killed"
    ENGINE_FROZEN = "a heat-engine frozen"
    ENGINES_STOPPED = "both heat-engines stopped"
    ZAQAR_KILLED = "a Zaqar killed"
    ZAQAR_FROZEN = "a Zaqar frozen"
    ZAQARS_KILLED = "both Zaqars killed"
    MASTER_KILLED = "a Redis master killed"
    MASTER_FROZEN = "a Redis master frozen"
    WRITES_LOST = "a Redis master killed after its replica was cut off"
    POOL_LOST = "a pool's Redis killed with all their data"
    POOLS_LOST = "both pools' Redis killed with all their data"
    KEYSTONE_KILLED = "Keystone killed"
    KEYSTONE_FROZEN = "Keystone frozen"
    RABBITMQ_KILLED = "RabbitMQ killed"
    RABBITMQ_FROZEN = "RabbitMQ frozen"
    PROXY_KILLED = "the proxy killed"


class Injury(NamedTuple):
    """What befalls a phase. Seconds count from its beginning, and from the injury."""

    kind: Kind
    after: float
    seconds: float
    side: int
    """Which of two: the first or the second."""

    def __str__(self) -> str:
        which = f" ({self.side + 1})"
        return f"{self.kind.value}{which} after {self.after:.1f} s, for {self.seconds:.1f} s"


class Step(NamedTuple):
    """One deployment of a stack."""

    name: str
    pause: float
    """Seconds that its script sleeps."""
    after: str
    """The step that it waits for; empty: none."""


class Schedule(NamedTuple):
    """One stack."""

    number: int
    steps: tuple[Step, ...]
    begins: tuple[float, ...]
    """Seconds from the beginning of each phase to the request."""


class Wave(NamedTuple):
    """Schedules side by side. The same seed, number and width make the same wave."""

    seed: int
    number: int
    injuries: tuple[Injury, ...]
    """One for each phase."""
    schedules: tuple[Schedule, ...]

    def lines(self) -> list[str]:
        """What happens in it, for people."""
        befalls = zip(PHASES, self.injuries, strict=True)
        return [
            f"wave {self.number} of seed {self.seed}: {len(self.schedules)} stacks",
            *(f"  {phase}: {injury}" for phase, injury in befalls),
        ]


def waves(seed: int, number: int, width: int = WIDTH) -> Iterator[Wave]:
    """So many schedules, in waves. In each phase all kinds come up before one does again."""
    kinds = [_shuffled(seed, phase) for phase in PHASES]
    for wave, first in enumerate(range(0, number, width)):
        drawing = Drawing(f"{seed} wave {wave}")
        injuries = tuple(_injury(drawing, next(deck)) for deck in kinds)
        numbers = range(first, min(first + width, number))
        yield Wave(seed, wave, injuries, tuple(_schedule(seed, each) for each in numbers))


def wave(seed: int, number: int, wanted: int, width: int = WIDTH) -> Wave:
    """The wave of this number."""
    return next(islice(waves(seed, number, width), wanted, None))


def _shuffled(seed: int, phase: str) -> Iterator[Kind]:
    kinds = list(Kind)
    Drawing(f"{seed} {phase}").random.shuffle(kinds)
    return cycle(kinds)


def _injury(drawing: Drawing, kind: Kind) -> Injury:
    random = drawing.random
    return Injury(kind, random.uniform(0.5, 5), random.uniform(1, 8), random.randrange(2))


def _schedule(seed: int, number: int) -> Schedule:
    drawing = Drawing(f"{seed} schedule {number}")
    random = drawing.random
    steps: list[Step] = []
    for name in ("one", "two", "three")[: random.randint(1, 3)]:
        chained = steps and drawing.chance(0.6)
        pause = random.choice((0.0, 0.5, 2.0, 4.0))
        steps.append(Step(name, pause, steps[-1].name if chained else ""))
    return Schedule(number, tuple(steps), tuple(random.uniform(0, 3) for _ in PHASES))
