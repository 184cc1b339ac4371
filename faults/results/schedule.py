# SPDX-License-Identifier: Apache-2.0
"""What happens in a schedule of the way out: what Heat asks for, and what befalls the agent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

from faults import schedule
from faults.insides import DELIVER, RUN
from faults.schedule import KILLS

# The deployments of the stack, by the transport of their signal.
QUEUES = ("zaqar-0", "zaqar-1", "zaqar-2")
SIGNED = ("signed-0", "signed-1")
RESOURCES = ("heat-0",)
URLS = ("cfn-0",)

# The server is a booted one, whose power goes at one of these times.
REBOOT = "reboot"
IN_HOOK, AFTER_RUN = "in the hook", "after the run"

# What may change on the server itself beside its file systems, and to what.
CLOCK, ENTRIES = "clock", "entries"
RO, RW, FULL = "ro", "rw", "full"
OLDER, NEWER, SET_BACK = "older", "newer", "set back"


@dataclass(frozen=True)
class Asked:
    """One config that Heat asks for."""

    slot: str
    """The deployment in the stack."""
    behaviour: str = "plain"
    """What the script does; see faults.results.scripts."""
    interrupted: str = ""
    """The config's option of that name."""


class Change(NamedTuple):
    """Something of the server changes."""

    what: str
    """Its clock, its entries, or a file system of its own: deployed or outbox."""
    to: str
    """What the clock says (see faults.machine), who has written the entries, or ro, rw, full."""
    after: float = 0.0
    """Seconds after the first program was started; 0: before."""

    def __str__(self) -> str:
        when = f" after {self.after:g} s" if self.after else ""
        return f"{self.what} is {self.to}{when}"

    @property
    def hinders(self) -> bool:
        """Whether a script's result may be lost by it: a disk goes while the script runs."""
        return self.to in (RO, FULL) and self.after > 0


@dataclass(frozen=True, kw_only=True)
class Attempt(schedule.Attempt):
    """Programs of the agent that run at once, and what befalls them."""

    programs: tuple[str, ...] = (RUN,)
    """Their arguments; ``{id}`` is the config that was asked for first."""
    apart: float = 0.0
    """Seconds between the starts of one and the next."""
    boot: str = ""
    """In place of programs: a server boots, whose power goes at this time."""
    room: int | None = None
    """Bytes that are free on the server's disk when it begins."""
    torn: str = ""
    """What a crash has left behind: see faults.insides."""
    changes: tuple[Change, ...] = ()
    """What changes on the server, and stays so until it changes again."""

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
    joins: bool = False
    """Whether Heat asks for these beside those of the round before."""
    emptied: bool = False
    """Whether signed queues lose what is on them, before Heat's look at the end of the round."""


@dataclass(frozen=True, kw_only=True)
class Schedule(schedule.Schedule):
    """One schedule."""

    rounds: tuple[Round, ...]
    look_every: float = 0.0
    """Seconds between Heat's looks at its queues while faults go on; 0: only after each attempt."""
    fallback_after: float = 600.0
    """Seconds after which the agent falls back on Heat itself."""
    patience: float = 5.0
    """The agent's time limit for a request."""
    disk: int = 0
    """Bytes of the server's disk, when it has a small one."""
    separate: bool = False
    """Whether deployed/ and outbox/ are file systems of their own."""
    healers: tuple[str, ...] = (RUN, DELIVER)
    """What is run again and again once all is well, until nothing is pending."""
    forced: tuple[Attempt, ...] = ()
    """An operator forces a config at the end, for which Heat no longer waits."""

    def details(self) -> list[str]:
        """What the agent is given, and the rounds."""
        disks = ", deployed/ and outbox/ apart" if self.separate else ""
        found = [
            f"Heat looks every {self.look_every:g} s; fallback after {self.fallback_after:g} s; "
            f"a request may take {self.patience:g} s; disk {self.disk or 'large'}{disks}; "
            f"healed by {', '.join(self.healers)}"
        ]
        for number, each in enumerate(self.rounds, start=1):
            asked = ", ".join(" ".join(filter(None, asdict(one).values())) for one in each.asked)
            heals = "" if each.heals else " (does not heal)"
            found.append(f"round {number}{heals}: {asked}")
            found += [f"  {attempt}" for attempt in each.attempts]
            found += ["  signed queues lose what is on them"] if each.emptied else []
        return [*found, *(f"then, forced: {attempt}" for attempt in self.forced)]
