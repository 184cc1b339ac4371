# SPDX-License-Identifier: Apache-2.0
"""What a schedule of either direction is made of: the words for what happens, and the drawing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

# Names of wires: the services as the programs reach them.
KEYSTONE, ZAQAR, HEAT, CFN = "keystone", "zaqar", "heat", "cfn"

# What may befall a request; see faults.wires. The answers in the service's place come with
# "-after" when the service has got the request, as behind a gateway.
BEFORE = ("reset", "stall", "garbage", "page", "500", "502", "503", "504", "429", "413", "404")
AFTER = ("lose-answer", "stall-after", "500-after", "502-after", "503-after", "504-after")
KILLS = ("kill-before", "kill-sent", "kill-after", "term-before", "term-after")


@dataclass(frozen=True)
class Crash:
    """A crash of a program, or of a hook that it starts, at one of its operations on files."""

    at: int
    """Which point, from 1 on: before an operation (odd), after it (even)."""
    of: str = "agent"
    power: float = 0.0
    """A power cut: this share of what was not flushed to the disk is lost."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Programs that run at once, and what befalls them; each direction says which programs."""

    requests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What befalls the next requests on each wire."""
    away: tuple[str, ...] = ()
    """The services that refuse connections."""
    back_after: float | None = None
    """Seconds after which these are back; None: not while this attempt runs."""
    signal: str = ""
    """KILL or TERM for the programs, ALL for their hooks too."""
    signal_after: float = 0.0
    crash: Crash | None = None
    """Where the first of the programs ends."""

    def __str__(self) -> str:
        facts = asdict(self).items()
        return "; ".join(
            f"{name}: {_text(value)}" for name, value in facts if _says_something(value)
        )


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """What happens to one server. The same seed and number make the same schedule."""

    seed: int
    number: int
    family: str
    """What it lays stress on."""

    def lines(self) -> list[str]:
        """What happens in it, for people."""
        head = f"schedule {self.number} of seed {self.seed}: {self.family}"
        return [head, *(f"  {line}" for line in self.details())]

    @abstractmethod
    def details(self) -> list[str]:
        """The lines below the first one."""


class Drawing:
    """Draws from a text: it gives the same on every Python, and neighbours are not alike."""

    def __init__(self, text: str) -> None:
        self.random = Random(text)  # noqa: S311 - no secret

    def chance(self, probability: float) -> bool:
        """Whether something happens that happens so often."""
        return self.random.random() < probability


def _says_something(value: Any) -> bool:
    """Whether a value says anything: 0 bytes do, 0.0 seconds do not."""
    return type(value) is int or value not in ("", (), {}, None, 0.0)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
