# SPDX-License-Identifier: Apache-2.0
"""The lab's wires, with words for what befalls each request, and one journal of all."""

from __future__ import annotations

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from threading import Lock, Timer, local
from typing import NamedTuple

from lab import config
from lab.wire import (
    FORWARD,
    GARBAGE,
    LOSE_ANSWER,
    RESET,
    STALL,
    Action,
    Exchange,
    Reply,
    Wire,
    answer,
)

# Seconds after which a stalled request's connection ends, before its client gives up.
STALLED = 0.3
# Seconds for which a request that is late is on its way after its client has left.
LATE = 1.5

_PAGE = answer(200, b"<html>Please log in.</html>", headers=["Content-Type: text/html"])
_STALL_AFTER = Action(True, Reply.STALL)
ACTIONS = {
    "ok": FORWARD,
    "reset": RESET,
    "lose-answer": LOSE_ANSWER,
    "late": LOSE_ANSWER,
    # Heat posts meanwhile; see faults.metadata.world.
    "post-before": FORWARD,
    "post-after": FORWARD,
    "stall": STALL,
    "stall-after": _STALL_AFTER,
    "timeout": STALL,
    "timeout-after": _STALL_AFTER,
    "garbage": GARBAGE,
    "page": _PAGE,
    # The agent has gone; what it has sent arrives, or does not.
    "kill-before": RESET,
    "term-before": RESET,
    "kill-sent": LOSE_ANSWER,
    "kill-after": _STALL_AFTER,
    "term-after": _STALL_AFTER,
    **{f"{status}": answer(status) for status in (404, 413, 429, 500, 502, 503, 504)},
    **{f"{status}-after": answer(status, forward=True) for status in (500, 502, 503, 504)},
}


class Line(NamedTuple):
    """One event: a request over a wire, or what the schedule has done."""

    at: float
    wire: str
    """Empty for what is no request."""
    step: str
    """What befell the request, or what was done."""
    exchange: Exchange | None = None
    away: tuple[str, ...] = ()
    """The services that refuse connections from here on."""
    is_cut: bool = False
    """Whether a program of the agent has ended before its time."""
    came: float = 0.0
    """When the request came to the wire; `at` is when it was over."""

    def __str__(self) -> str:
        if not self.exchange:
            return f"{self.at:7.3f}  {self.step}"
        request = f"{self.exchange.method} {self.exchange.path.partition('?')[0]}"
        served = "not served" if self.exchange.forwarded is None else self.exchange.forwarded
        seen = "nothing" if self.exchange.answered is None else self.exchange.answered
        return f"{self.at:7.3f}  {self.wire}: {request}: {self.step}: {served}, {seen}"


class Journal:
    """What happened in a schedule, in order."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._began = time.monotonic()

    def clear(self) -> None:
        """Begin anew."""
        self.lines = []
        self._began = time.monotonic()

    def note(
        self, step: str, *, away: tuple[str, ...] = (), statuses: Sequence[int | None] = ()
    ) -> None:
        """Add what the schedule has done; ``statuses``: of the programs that have ended."""
        cut = any(status is None or status < 0 for status in statuses)
        self.lines.append(Line(self.now(), "", step, away=away, is_cut=cut))

    def note_request(self, wire: str, step: str, exchange: Exchange, came: float) -> None:
        """Add a request."""
        self.lines.append(Line(self.now(), wire, step, exchange, came=came))

    def now(self) -> float:
        """Seconds since the schedule began."""
        return time.monotonic() - self._began


class FaultyWire(Wire):
    """A wire whose plan is words, some of which kill the agent."""

    def __init__(self, name: str, upstream: tuple[str, int], journal: Journal) -> None:
        super().__init__(upstream)
        self.name = name
        # Below the ports of outgoing connections: nobody takes it while it is closed.
        self.port = config.free_ports([name])[name]
        self.history = _History(self)
        self.journal = journal
        self.now = local()
        self._under_way: Counter[str] = Counter()
        self._steps: deque[str] = deque()
        self._steps_lock = Lock()
        self._patience = 0.0
        self.kill: Callable[[int], None] = lambda _: None

    def arm(self, steps: Iterable[str], patience: float, kill: Callable[[int], None]) -> None:
        """Say what befalls the next requests, and how the agent is killed."""
        with self._steps_lock:
            self._steps = deque(steps)
        self._patience = patience
        self.kill = kill

    def calm(self) -> None:
        """From now on all is handed on; what hangs ends, save what is late."""
        with self._steps_lock:
            self._steps.clear()
        self.release()
        if not self._server:
            self.open_port()

    def _next_action(self) -> Action:
        with self._steps_lock:
            step = self._steps.popleft() if self._steps else "ok"
            self._under_way[step] += 1
        self.now.step, self.now.came = step, self.journal.now()
        if step in ("kill-before", "kill-sent"):
            self.kill(signal.SIGKILL)
        elif step == "term-before":
            self.kill(signal.SIGTERM)
        elif step == "late":
            time.sleep(self._patience + LATE)
        elif step in ("stall", "stall-after"):
            Timer(STALLED, self.release).start()
        return ACTIONS[step]

    def served(self, step: str) -> None:
        """Note that a request has been served, or not, and is no longer under way."""
        with self._steps_lock:
            self._under_way[step] -= 1

    def is_idle(self, *, but_late: bool) -> bool:
        """Whether no request is under way; ``but_late``: save those that are late."""
        with self._steps_lock:
            return not any(
                count
                for step, count in self._under_way.items()
                if not (but_late and step == "late")
            )


class _History(list[Exchange]):
    """Where a wire notes what came through, before its client hears of it."""

    def __init__(self, wire: FaultyWire) -> None:
        super().__init__()
        self._wire = wire

    def append(self, exchange: Exchange) -> None:
        step = str(getattr(self._wire.now, "step", "ok"))
        came = float(getattr(self._wire.now, "came", 0.0))
        self._wire.journal.note_request(self._wire.name, step, exchange, came)
        if step == "kill-after":
            self._wire.kill(signal.SIGKILL)
        elif step == "term-after":
            self._wire.kill(signal.SIGTERM)
        self._wire.served(step)
