# SPDX-License-Identifier: Apache-2.0
"""Runs one schedule: asks, breaks, heals, and hands what was seen to the judge."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

from faults import judge, scripts
from faults.judge import WINDOW, Order, Problem
from faults.machine import Machine
from faults.nursery import Nursery
from faults.schedule import IN_HOOK, Attempt, Round, Schedule
from faults.world import Place

# Runs and deliveries after which the agent must owe nothing once all is well.
HEALING = 6


@dataclass
class Outcome:
    """What came of a schedule."""

    schedule: Schedule
    orders: list[Order] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    """The operations at which the agent or a hook crashed."""
    befell: Counter[str] = field(default_factory=Counter)
    """How many requests had which fate."""
    history: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """The deployments, and for how many configs there is a problem of each kind."""
        found = {(problem.kind, problem.token) for problem in self.problems}
        return Counter({"deployments": len(self.orders)}) + Counter(kind for kind, _ in found)

    def complaints(self) -> list[str]:
        """What is wrong, and with which config."""
        return [f"{it.kind.upper()}: {it.token}: {it.why}" for it in self.problems]


def run(schedule: Schedule, place: Place, nursery: Nursery, root: Path, image: Path) -> Outcome:
    """Run a schedule in a place; its server is a folder that is gone afterwards.

    ``image``: the root of what is booted, where that is asked for.
    """
    place.journal.clear()
    machine = Machine(
        root, nursery, disk=schedule.disk, way_round=schedule.way_round, patience=schedule.patience
    )
    drive = _Drive(schedule, place, machine, image)
    try:
        drive.play()
        return drive.outcome()
    finally:
        place.heal()
        place.wait_until_idle()
        place.wait_until_settled()
        machine.close()
        for slot in drive.queues():
            place.drain(slot)


class _Drive:
    def __init__(self, schedule: Schedule, place: Place, machine: Machine, image: Path) -> None:
        self._schedule = schedule
        self._image = image
        self._place = place
        self._machine = machine
        self._outcome = Outcome(schedule)
        self._orders: list[Order] = []
        self._cuts = 0

    def play(self) -> None:
        """Everything that happens in it, in order."""
        for number, each in enumerate(self._schedule.rounds):
            self._orders = self._ask(number, each)
            with self._heat_looks():
                for attempt in each.attempts:
                    self._attempt(attempt)
            self._place.wait_until_settled()
            for order in self._orders:
                self._place.look(order.asked.slot)
            if each.heals:
                self._heal()
                self._judge()
        if self._schedule.force:
            self._force()

    def outcome(self) -> Outcome:
        """What came of it, with its history for people."""
        notes = self._machine.root / "crashes"
        log = self._machine.log
        self._outcome.crashes = notes.read_text().splitlines() if notes.exists() else []
        self._outcome.befell.update(line.step for line in self._place.journal.lines if line.wire)
        said = log.read_text(errors="replace").splitlines() if log.exists() else []
        self._outcome.history = [
            *self._schedule.lines(),
            *(f"  config {order.config_id}: {order.token}" for order in self._outcome.orders),
            "what went over the wires, and what was done (seconds):",
            *(f"  {line}" for line in self._place.journal.lines),
            *(f"  crashed {crash}" for crash in self._outcome.crashes),
            "what the agent said:",
            *(f"  {line[:600]}" for line in said if scripts.LARGE not in line),
        ]
        return self._outcome

    def queues(self) -> set[str]:
        """The deployments with a queue that were used."""
        slots = {order.asked.slot for order in self._outcome.orders}
        return {slot for slot in slots if self._place.slots[slot].queue}

    def _ask(self, number: int, each: Round) -> list[Order]:
        orders = []
        for position, asked in enumerate(each.asked):
            token = f"s{self._schedule.number}r{number + 1}d{position + 1}"
            text = scripts.config(asked, token, self._machine.ran / token, self._machine.disk)
            begin = len(self._place.journal.lines)
            orders.append(Order(asked, token, self._place.ask(asked.slot, **text), begin))
        self._machine.metadata(self._place.metadata(order.config_id for order in orders))
        self._note(f"Heat asks: {', '.join(order.token for order in orders)}")
        self._outcome.orders += orders
        return orders

    def _attempt(self, attempt: Attempt) -> None:
        machine, place = self._machine, self._place
        self._cuts += attempt.is_cut
        if attempt.torn:
            machine.tear(attempt.torn)
        if attempt.room is not None:
            machine.leave_room(attempt.room)
        for name, wire in place.wires.items():
            wire.arm(attempt.requests.get(name, ()), self._schedule.patience, machine.kill)
            if name in attempt.away:
                wire.close_port()
        away = f", away: {', '.join(attempt.away)}" if attempt.away else ""
        what = attempt.boot and f"boots; its power goes {attempt.boot}"
        self._note(f"{what or ' + '.join(attempt.programs)}{away}", away=attempt.away)
        if attempt.boot:
            self._boot(attempt)
        else:
            self._run(attempt)
        place.heal()
        # What an agent that was killed has sent is served at once, unless it is late.
        place.wait_until_idle(but_late=True)

    def _run(self, attempt: Attempt) -> None:
        timers = self._timers(attempt)
        first, *others = attempt.programs
        machine = self._machine
        children = [machine.start(first, attempt.crash), *map(machine.start, others)]
        for timer in timers:
            timer.start()
        statuses = machine.wait(children)
        for timer in timers:
            timer.cancel()
            timer.join()
        self._ended(statuses)

    def _boot(self, attempt: Attempt) -> None:
        """Boot the server, which runs what it is asked to; its power goes as is said."""
        in_hook = attempt.boot == IN_HOOK
        until = self._has_begun if in_hook else self._all_answered
        self._machine.boot(self._image, until, power_after=attempt.signal_after)
        self._ended([-signal.SIGKILL])

    def _has_begun(self) -> bool:
        return any(self._machine.runs(order.token) for order in self._orders)

    def _ended(self, statuses: list[int | None]) -> None:
        self._note(f"ended with {statuses}", statuses=statuses)
        if None in statuses:
            self._outcome.problems.append(Problem("unanswered", "-", "a program hung"))

    def _timers(self, attempt: Attempt) -> list[Timer]:
        timers = []
        if attempt.away and attempt.back_after is not None:
            timers.append(Timer(attempt.back_after, self._come_back, [attempt.away]))
        if attempt.signal:
            number = signal.SIGTERM if attempt.signal == "TERM" else signal.SIGKILL
            hooks = {"hooks": attempt.signal == "ALL"}
            timers.append(Timer(attempt.signal_after, self._machine.kill, [number], hooks))
        return timers

    def _come_back(self, away: tuple[str, ...]) -> None:
        self._note(f"back: {', '.join(away)}")
        for name in away:
            self._place.wires[name].open_port()

    @contextmanager
    def _heat_looks(self) -> Iterator[None]:
        """Have Heat look at its queues now and then, as it does while a stack is in progress."""
        if not self._schedule.look_every:
            yield
            return
        over = Event()
        slots = [order.asked.slot for order in self._orders]

        def look() -> None:
            while not over.wait(self._schedule.look_every):
                for slot in slots:
                    self._place.look(slot)

        looking = Thread(target=look, name="heat looks")
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def _heal(self) -> None:
        """Everything works again, and the agent runs until it owes nothing."""
        self._place.heal()
        self._place.wait_until_idle()
        self._machine.make_room()
        self._note("healed")
        statuses = [self._machine.run("run")]
        for _ in range(HEALING):
            # A script that fills the disk may have run only now.
            self._machine.make_room()
            for order in self._orders:
                self._place.look(order.asked.slot)
            if not self._machine.owed and self._all_answered():
                break
            statuses += [self._machine.run("run"), self._machine.run("deliver")]
        # Once more: nothing may change.
        statuses.append(self._machine.run("run"))
        self._ended(statuses)

    def _all_answered(self) -> bool:
        return all(self._machine.result(order.config_id) for order in self._orders)

    def _judge(self) -> None:
        cut = self._cuts > 0 or bool(self._schedule.disk)
        for order in self._orders:
            seen = judge.Seen(
                shown=self._final(order),
                left=self._left(order),
                stored=self._machine.result(order.config_id),
                runs=self._machine.runs(order.token),
                cuts=self._cuts,
                cut=cut,
                queue=self._place.slots[order.asked.slot].queue,
                journal=list(self._place.journal.lines),
                others=self._outcome.orders,
                windows={each.token for each in self._outcome.problems if each.kind == WINDOW},
            )
            self._outcome.problems += judge.problems(order, seen)

    def _left(self, order: Order) -> list[dict[str, Any]]:
        if not self._place.slots[order.asked.slot].queue:
            return []
        return self._place.left_on_queue(order.asked.slot)

    def _final(self, order: Order) -> Any:
        """How Heat sees a deployment; it may take a signal a moment after it was accepted."""
        deadline = time.monotonic() + 5
        while True:
            shown = self._place.look(order.asked.slot)
            if shown.status != "IN_PROGRESS" or time.monotonic() > deadline:
                return shown
            time.sleep(0.1)

    def _force(self) -> None:
        """An operator runs a config again, for which Heat no longer waits."""
        order = self._orders[0]
        self._note(f"an operator forces {order.token}")
        before = self._machine.runs(order.token)
        self._machine.run(f"run --force {order.config_id}")
        for _ in range(HEALING):
            if not self._machine.owed:
                break
            self._machine.run("deliver")
        left = self._left(order)
        if left:
            self._problem("duplicated", order, f"a forced run has left {left}")
        if self._machine.runs(order.token) - before > 1:
            self._problem("run twice", order, "forced once, run twice")

    def _problem(self, kind: str, order: Order, why: str) -> None:
        self._outcome.problems.append(Problem(kind, order.token, why))

    def _note(self, text: str, **facts: Any) -> None:
        self._place.journal.note(text, **facts)
        self._machine.note(text)
