# SPDX-License-Identifier: Apache-2.0
"""Plays one schedule of the way out: asks, breaks, heals, and hands what was seen to the judge."""

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

from faults import drive
from faults.insides import DELIVER, STATUS, TIMER, UNFINISHED
from faults.machine import RIGHT
from faults.nursery import Child, Nursery
from faults.results import judge, scripts
from faults.results.judge import WINDOW, Order, Problem
from faults.results.machine import Machine
from faults.results.schedule import FULL, IN_HOOK, SIGNED, Attempt, Round, Schedule
from faults.results.world import Place

# Times that the healers run after which nothing may be pending once all is well, and the
# seconds between two: what was sent before may still be settling.
HEALING = 12
BETWEEN = 0.3
# Seconds by which the clock goes on before the timer comes: more than anything waits.
LONGEST_WAIT = 120.0


@dataclass
class Outcome(drive.Outcome):
    """What came of a schedule."""

    orders: list[Order] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    signed: Counter[str] = field(default_factory=Counter)
    """How many results went to signed addresses, and how many posts there were beside the first."""

    def counts(self) -> Counter[str]:
        """The deployments, and for how many configs there is a problem of each kind."""
        found = {(problem.kind, problem.token) for problem in self.problems}
        deployments = Counter({"deployments": len(self.orders)})
        return deployments + self.signed + Counter(kind for kind, _ in found)

    def complaints(self) -> list[str]:
        """What is wrong, and with which config."""
        return [f"{it.kind.upper()}: {it.token}: {it.why}" for it in self.problems]


def run(schedule: Schedule, place: Place, nursery: Nursery, root: Path, image: Path) -> Outcome:
    """Run a schedule in a place; its server is a folder that is gone afterwards.

    ``image``: the root of what is booted, where that is asked for.
    """
    outcome = Outcome(schedule)
    _Drive(schedule, outcome, place, Machine(root, nursery, schedule), image).run()
    return outcome


class _Drive(drive.Drive[Attempt]):
    outcome: Outcome
    place: Place
    machine: Machine

    def __init__(
        self, schedule: Schedule, outcome: Outcome, place: Place, machine: Machine, image: Path
    ) -> None:
        super().__init__(outcome, place, machine)
        self._schedule = schedule
        self._image = image
        self._orders: list[Order] = []
        self._attempts: list[Attempt] = []

    def play(self) -> None:
        """Everything that happens in it, in order."""
        for number, each in enumerate(self._schedule.rounds):
            self._ask(number, each)
            with self._heat_looks():
                for attempt in each.attempts:
                    self.attempt(attempt)
                    self._look_after_attempt()
            self.place.wait_until_settled()
            for order in self._orders:
                if each.emptied:
                    self.place.lose(order.asked.slot)
                self.place.look(order.asked.slot)
            if each.heals:
                self._heal()
                self._judge()
        if self._schedule.forced:
            self._force()

    def clean_up(self) -> None:
        """Leave nothing on the queues."""
        self.place.wait_until_settled()
        slots = {order.asked.slot for order in self.outcome.orders}
        for slot in slots:
            if self.place.queue(slot):
                self.place.drain(slot)

    def prepare(self, attempt: Attempt) -> None:
        """Bring the server into the state in which the programs find it."""
        self._attempts.append(attempt)
        if attempt.torn:
            self.machine.tear(attempt.torn)
        if attempt.room is not None:
            self.machine.leave_room(attempt.room)
        for change in attempt.changes:
            if not change.after:
                self.machine.change(change.what, change.to)

    def name(self, attempt: Attempt) -> str:
        """The programs, or what happens in their place, and how the server has changed."""
        what = attempt.boot and f"boots; its power goes {attempt.boot}"
        return "; ".join([what or " + ".join(attempt.programs), *map(str, attempt.changes)])

    def start(self, attempt: Attempt) -> Iterator[Child]:
        """Start the agent's programs, one after the other; the first may crash."""
        for number, program in enumerate(attempt.programs):
            time.sleep(attempt.apart if number else 0)
            words = program.format(id=self._orders[0].config_id).split()
            yield self.machine.start(words, None if number else attempt.crash)

    def perform(self, attempt: Attempt) -> list[int | None]:
        """Boot the server, which runs what it is asked to, or run the programs."""
        if not attempt.boot:
            return super().perform(attempt)
        until = self._has_begun if attempt.boot == IN_HOOK else self._all_answered
        self.machine.boot(self._image, until, power_after=attempt.signal_after)
        return [-signal.SIGKILL]

    def timers(self, attempt: Attempt) -> list[Timer]:
        """What changes on the server, too."""
        changes = [
            Timer(change.after, self.machine.change, [change.what, change.to])
            for change in attempt.changes
            if change.after
        ]
        return [*super().timers(attempt), *changes]

    def ended(self, statuses: list[int | None]) -> None:
        """Count a program that hung."""
        super().ended(statuses)
        if None in statuses:
            self.outcome.problems.append(Problem(judge.UNANSWERED, "-", "a program hung"))

    def seen(self) -> list[str]:
        """Which config is which."""
        return [f"config {order.config_id}: {order.token}" for order in self.outcome.orders]

    def is_worth_telling(self, line: str) -> bool:
        """Whether a line is not just one of a large output."""
        return scripts.LARGE not in line

    def _ask(self, number: int, each: Round) -> None:
        orders = []
        for position, asked in enumerate(each.asked):
            token = f"s{self._schedule.number}r{number + 1}d{position + 1}"
            text = scripts.config(asked, token, self.machine.ran / token, self.machine.disk)
            begin = len(self.place.journal.lines)
            orders.append(Order(asked, token, self.place.ask(asked.slot, **text), begin))
        self._orders = [*self._orders, *orders] if each.joins else orders
        self.machine.metadata(self.place.metadata(order.config_id for order in self._orders))
        self.note(f"Heat asks: {', '.join(order.token for order in orders)}")
        self.outcome.orders += orders

    def _look_after_attempt(self) -> None:
        """See what must be so although not all is well."""
        for config_id in self.machine.harmed():
            order = next(each for each in self._orders if each.config_id == config_id)
            self._problem(judge.LOST, order, "an agent has changed a newer agent's entry")
        if self._schedule.separate and not self._is_finished():
            status = self._run(STATUS)
            if status != UNFINISHED:
                problem = f"something is unfinished, and status ends with {status}"
                self.outcome.problems.append(Problem(judge.UNANSWERED, "-", problem))

    def _has_begun(self) -> bool:
        return any(self.machine.runs(order.token) for order in self._orders)

    def _all_answered(self) -> bool:
        return all(self.machine.result(order.config_id) for order in self._orders)

    def _is_finished(self) -> bool:
        return not self.machine.pending and self._all_answered()

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
                    self.place.look(slot)

        looking = Thread(target=look, name="heat looks")
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def _heal(self) -> None:
        """Everything works again, and the healers run until nothing is pending."""
        self.place.heal()
        self.place.wait_until_idle()
        self.machine.repair()
        self.note("healed")
        first, *_ = healers = self._schedule.healers
        statuses = [self._run(first)]
        for number in range(1, HEALING + 1):
            # A script that fills the disk may have run only now.
            self.machine.make_room()
            for order in self._orders:
                self.place.look(order.asked.slot)
            if self._is_finished():
                break
            if TIMER in healers:
                self.machine.set_clock(RIGHT, later=number * LONGEST_WAIT)
            statuses += map(self._run, healers)
            time.sleep(BETWEEN)
        # Once more: nothing may change.
        statuses.append(self._run(first))
        self.ended(statuses)

    def _run(self, program: str) -> int | None:
        """Run a program to its end; return its status, None when it hung."""
        return self.machine.wait([self.machine.start(program.split())])[0]

    def _judge(self) -> None:
        for order in self._orders:
            seen = self._seen(order)
            self.outcome.problems += judge.problems(order, seen)
            if order.asked.slot in SIGNED:
                again = max(0, len(judge.posts(order, seen)) - 1)
                self.outcome.signed.update({judge.SIGNED_RESULTS: 1, judge.AGAIN: again})

    def _seen(self, order: Order) -> judge.Seen:
        cuts = sum(attempt.is_cut for attempt in self._attempts)
        changes = [change for attempt in self._attempts for change in attempt.changes]
        return judge.Seen(
            shown=self._final(order),
            left=self._left(order),
            stored=self.machine.result(order.config_id),
            pending=order.config_id in self.machine.pending,
            abandoned=self.machine.abandoned(order.config_id),
            runs=self.machine.runs(order.token),
            cuts=cuts,
            cut=cuts > 0 or bool(self._schedule.disk) or any(it.hinders for it in changes),
            full=any(change.to == FULL for change in changes),
            queue=self.place.queue(order.asked.slot),
            journal=list(self.place.journal.lines),
            others=self.outcome.orders,
            windows={each.token for each in self.outcome.problems if each.kind == WINDOW},
        )

    def _left(self, order: Order) -> list[dict[str, Any]]:
        if not self.place.queue(order.asked.slot):
            return []
        return self.place.left_on_queue(order.asked.slot)

    def _final(self, order: Order) -> Any:
        """How Heat sees a deployment; it may take a signal a moment after it was accepted."""
        deadline = time.monotonic() + 5
        while True:
            shown = self.place.look(order.asked.slot)
            if shown.status != "IN_PROGRESS" or time.monotonic() > deadline:
                return shown
            time.sleep(0.1)

    def _force(self) -> None:
        """An operator runs a config again, for which Heat no longer waits."""
        order = self._orders[0]
        self.note(f"an operator forces {order.token}")
        before = self.machine.runs(order.token)
        for attempt in self._schedule.forced:
            self.attempt(attempt)
        for _ in range(HEALING):
            if not self.machine.pending:
                break
            self._run(DELIVER)
            time.sleep(BETWEEN)
        left = judge.harmful(order, self._left(order))
        if left:
            self._problem(judge.DUPLICATED, order, f"a forced run has left {left}")
        cuts = sum(attempt.is_cut for attempt in self._schedule.forced)
        allowed = judge.allowed_runs(order, cuts) if cuts else 1
        if self.machine.runs(order.token) - before > allowed:
            self._problem(judge.RUN_TWICE, order, "forced once, run twice")

    def _problem(self, kind: str, order: Order, why: str) -> None:
        self.outcome.problems.append(Problem(kind, order.token, why))
