# SPDX-License-Identifier: Apache-2.0
"""The policy of delivery against a small model of Zaqar and Heat, in all interleavings.

One result of one deployment, its queue, Heat that waits for it, and an update of the
deployment: Heat alone, and Heat with the plug-in, which acknowledges. The agent's side is the
policy itself, in the steps in which the courier takes them: what is intended is kept, it is done,
what came of it is kept. It may be stopped before and after each of these. Between two steps
anything else may happen.

What keeps the number of states finite:

* Times are counted in waits, and each constant of the policy is small. A counter that has
  reached its limit counts no further.
* What happens elsewhere while an act is under way is the same as before or after it, because
  an act looks at the other side, or changes it, at one moment.
* A session that goes on after a step is the same as one that ends and another that begins,
  because what is in memory is then what is on disk.
* More than two copies on the queue, or on their way to it, count as two.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from graphlib import TopologicalSorter
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from heat_config.cloud.errors import Outcome
from heat_config.delivery import policy
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.policy import ROWS, Act, Answer, Limits, Moment
from tests.support import explored_plugin
from tests.support.explored_plugin import Heat, Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Every wait is one. The limits are in the order of the real ones.
LIMITS = Limits(first_wait=1.0, fallback_after=1.0, message_ttl=2.0)
SMALL = {
    "ROUND": 2,
    "BACKGROUND": 4 / 3,
    "LONGEST": 4 / 3,
    "SETTLE": 1,
    "REFUSALS": 2,
    "UNANSWERED": 2,
    "LONGEST_AWAY": 3,
}
"""The policy's constants while it is explored."""
_MOMENT = Moment(now=0.0, spread=0.5)
_COPIES = 2
FINAL = (Stage.DONE, Stage.ABANDONED, Stage.SUPERSEDED)
FOUND = (Outcome.ACCEPTED, Outcome.PRESENT, Outcome.ABSENT, Outcome.ACKNOWLEDGED)
FAILURES = tuple(outcome for outcome in Outcome if outcome not in FOUND)


class AtUpdate(Enum):
    """How far the result was when Heat began the update."""

    NO_UPDATE = "there was no update"
    PENDING = "it was not delivered, as far as the agent knew"
    DELIVERED = "Heat had it, and copies were being removed"
    SETTLED = "it was forgotten, or put aside"


class World(NamedTuple):
    """The other side, and what must be remembered of it to judge an end."""

    heat: Heat
    queue: int = 0
    """Copies of the result on the queue."""
    posts: int = 0
    """Copies on their way to the queue, although their requests have failed."""
    signals: int = 0
    """Notifications on their way to Heat, likewise."""
    is_known: bool = False
    """Whether the update's metadata has reached the server."""
    served: bool = False
    """Whether a request with the result was ever served, or may yet be."""
    lost: bool = False
    """Whether the other side has lost the result after the agent knew it there."""
    stopped: bool = False
    """Whether Heat has stopped waiting without a result."""
    repeated: bool = False
    """Whether a proxy has sent a request a second time."""
    late: bool = False
    """Whether a request has arrived when the result was settled."""
    given_up: bool = False
    """Whether the agent ended it after too many failures."""
    at_update: AtUpdate = AtUpdate.NO_UPDATE
    plugin: Plugin | None = None
    """The plug-in, and its acknowledgement on the queue, which is then of one action alone."""


class State(NamedTuple):
    """A moment at which no request of the agent is under way."""

    entry: int
    """What is on disk, by its number; see :class:`Machine`."""
    world: World


class Machine:
    """The policy, on entries that are reduced to what it tells apart, by their numbers."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.taken: dict[tuple[int, Outcome], int] = {}
        """Each entry and outcome that :meth:`after` was asked for, and what followed."""
        self._numbers: dict[tuple[object, ...], int] = {}
        self.intended = cache(self._intended)
        self.superseded = cache(self._superseded)
        self.vanished = cache(self._vanished)
        self.elapsed = cache(self._elapsed)
        self.is_due = cache(self._is_due)

    def number(self, entry: Entry) -> int:
        reduced = _reduced(entry)
        key = reduced[3:-1]
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(reduced)
        return self._numbers[key]

    def after(self, number: int, outcome: Outcome) -> int:
        key = number, outcome
        if key not in self.taken:
            entry = self.entries[number]
            answer = Answer(outcome, "why", entry.limit or 2 * policy.SMALLEST)
            self.taken[key] = self.number(policy.after(entry, answer, LIMITS, _MOMENT))
        return self.taken[key]

    def may_act(self, number: int) -> bool:
        """Whether the try is due, or an operator may hurry it."""
        return self.is_due(number) or policy.may_hurry(self.entries[number])

    def _is_due(self, number: int) -> bool:
        return policy.is_due(self.entries[number], LIMITS, _MOMENT.now)

    def _intended(self, number: int) -> int:
        return self.number(policy.intended(self.entries[number]))

    def _superseded(self, number: int) -> int:
        return self.number(policy.superseded(self.entries[number], "newer"))

    def _vanished(self, number: int) -> int:
        return self.number(policy.vanished(self.entries[number]))

    def _elapsed(self, number: int) -> int:
        return self.number(self.entries[number]._replace(due=0.0))


def entry(stage: Stage) -> Entry:
    """An entry at the beginning of a stage."""
    return Entry("c1", {}, {}, stage)


def _reduced(full: Entry) -> Entry:
    """An entry without what the policy does not tell apart."""
    if full.stage in FINAL:
        return entry(full.stage)
    return full._replace(
        tries=full.tries % policy.ROUND,
        waited=min(full.waited, float(policy.LONGEST_AWAY)),
        answered=min(full.answered, LIMITS.message_ttl),
        refusals=min(full.refusals, policy.REFUSALS),
        content_refusals=min(full.content_refusals, policy.CONTENT_REFUSALS + 1),
        unanswered=min(full.unanswered, policy.UNANSWERED),
        problem="",
    )


def _starts() -> Iterator[tuple[Stage, World]]:
    yield Stage.NEW, World(Heat.WAITS)
    yield Stage.REPEATABLE, World(Heat.WAITS)
    # Nobody knows what has become of the result of the run before a forced one.
    for heat, queue, posts in product((Heat.WAITS, Heat.HAS, Heat.STOPPED), (0, 1), (0, 1)):
        world = World(heat, queue, posts, served=True, stopped=heat is Heat.STOPPED)
        yield Stage.FORCED, world
    # With the plug-in a forced run begins there, too: a second answer of the same action.
    for heat, queue, word in product((Heat.WAITS, Heat.HAS, Heat.STOPPED), (0, 1), (False, True)):
        if heat is not Heat.WAITS or not word:
            yield Stage.SIGNED, World(heat, queue, plugin=Plugin(word))


STARTS = tuple(_starts())
"""Where a result's way may begin."""


@cache
def requests(stage: Stage, world: World) -> tuple[tuple[Outcome, World], ...]:
    """All that may come of the act of a stage: what the agent is told, and what is then so."""
    act = ROWS[stage].act
    if world.plugin:
        served = list(explored_plugin.requests(stage, world))
    elif act is Act.LOOK:
        served = [(Outcome.PRESENT if world.queue else Outcome.ABSENT, world)]
    elif act is Act.CLEAN:
        served = [(Outcome.ACCEPTED, world._replace(queue=0))]
        served += [(Outcome.UNKNOWN, world._replace(queue=left)) for left in range(world.queue)]
    elif act is Act.NOTIFY or stage is Stage.REPEATABLE:
        served = list(_notifications(world))
    else:
        served = list(_posts(world))
    if world.heat is Heat.GONE and not world.plugin:
        served = []
    return *served, *((failure, world) for failure in FAILURES if _may_fail(failure, stage, world))


def _may_fail(failure: Outcome, stage: Stage, world: World) -> bool:
    """An address on which a copy has arrived is not malformed."""
    is_queue = ROWS[stage].act is not Act.NOTIFY or stage is Stage.FORCED
    return not (failure is Outcome.UNUSABLE and is_queue and (world.queue or world.posts))


def _posts(world: World) -> Iterator[tuple[Outcome, World]]:
    sent = world._replace(served=True)
    for now, later in ((1, 0), (0, 1), (2, 0), (1, 1)):
        queue, posts = min(sent.queue + now, _COPIES), min(sent.posts + later, _COPIES)
        twice = world.repeated or now + later > 1
        after = sent._replace(queue=queue, posts=posts, repeated=twice)
        yield Outcome.UNKNOWN, after
        if now:
            yield Outcome.ACCEPTED, after


def _notifications(world: World) -> Iterator[tuple[Outcome, World]]:
    sent = world._replace(served=True)
    for outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
        yield outcome, _notified(sent)
    yield Outcome.UNKNOWN, sent._replace(signals=1)
    if world.heat is Heat.WAITS:
        # Heat answers before it has kept it.
        yield Outcome.ACCEPTED, sent._replace(lost=True)


def _notified(world: World) -> World:
    follows = {Heat.WAITS: Heat.HAS, Heat.UPDATES: Heat.DECEIVED}
    return world._replace(heat=follows.get(world.heat, world.heat))


@cache
def events(stage: Stage, world: World) -> tuple[tuple[str, World], ...]:
    """All that may happen elsewhere while what is on disk is in a stage."""
    if world.plugin:
        return *_of_stack(world), *explored_plugin.events(world)
    return *_of_heat(stage, world), *_of_the_network(stage, world)


def _of_stack(world: World) -> Iterator[tuple[str, World]]:
    """What becomes of a deployment that the plug-in looks after."""
    heat, plugin = world.heat, world.plugin
    assert plugin
    if heat is Heat.WAITS:
        yield "Heat stops waiting", world._replace(heat=Heat.STOPPED)
    # One engine at a time has the deployment.
    if heat in (Heat.HAS, Heat.STOPPED) and not plugin.look:
        yield "an update begins", world._replace(heat=Heat.UPDATES)
    if heat in (Heat.UPDATES, Heat.GONE) and not world.is_known:
        yield "the newer metadata arrives", world._replace(is_known=True)
    if heat is not Heat.GONE:
        gone = Plugin(is_over=True)
        yield "the stack is deleted", world._replace(heat=Heat.GONE, queue=0, plugin=gone)


def _of_heat(stage: Stage, world: World) -> Iterator[tuple[str, World]]:
    heat = world.heat
    if heat in (Heat.WAITS, Heat.UPDATES) and world.queue:
        yield "Heat takes a message", _notified(world)._replace(queue=world.queue - 1)
    if heat is Heat.WAITS:
        yield "Heat stops waiting", world._replace(heat=Heat.STOPPED, stopped=True)
    if heat in (Heat.HAS, Heat.STOPPED):
        begun = world._replace(heat=Heat.UPDATES, at_update=_on_disk(stage))
        yield "an update begins", begun
    if heat is Heat.UPDATES and not world.is_known:
        yield "the update's metadata arrives", world._replace(is_known=True)
    if heat is Heat.UPDATES and world.is_known and not world.queue:
        yield "the update's result is taken", world._replace(heat=Heat.UPDATED)
    if heat is not Heat.GONE:
        yield "the stack is deleted", World(Heat.GONE, is_known=world.is_known)


def _of_the_network(stage: Stage, world: World) -> Iterator[tuple[str, World]]:
    late = world.late or stage in FINAL
    if world.queue:
        lost = world.lost or stage.is_delivered
        yield "a message is lost", world._replace(queue=world.queue - 1, lost=lost)
    if world.posts:
        fewer = world._replace(posts=world.posts - 1)
        yield "a late copy is lost", fewer
        if world.queue < _COPIES:
            arrived = fewer._replace(queue=world.queue + 1, late=late)
            yield "a late copy arrives", arrived
    if world.signals:
        fewer = world._replace(signals=0)
        yield "a late notification is lost", fewer
        yield "a late notification arrives", _notified(fewer._replace(late=late))


def _on_disk(stage: Stage) -> AtUpdate:
    if stage in FINAL:
        return AtUpdate.SETTLED
    return AtUpdate.DELIVERED if stage.is_delivered else AtUpdate.PENDING


class Label(NamedTuple):
    """What happened from one state to the next."""

    what: str
    outcome: Outcome | None = None


Step = tuple[Label, State]


class Exploration:
    """Every state that can be reached, breadth first, and how each was reached first."""

    def __init__(self, machine: Machine, starts: Iterable[tuple[Stage, World]]) -> None:
        self.machine = machine
        self.reached: dict[State, tuple[State, Label] | None] = {}
        self.transitions = 0
        self.depth = 0
        front = [State(self.machine.number(entry(stage)), world) for stage, world in starts]
        self.reached.update(dict.fromkeys(front))
        while following := self._reached_from(front):
            front = following
            self.depth += 1

    def _reached_from(self, front: list[State]) -> list[State]:
        following = []
        for state in front:
            for label, found in self.steps(state):
                self.transitions += 1
                if found not in self.reached:
                    self.reached[found] = state, label
                    following.append(found)
        return following

    def stage(self, state: State) -> Stage:
        return self.machine.entries[state.entry].stage

    def steps(self, state: State) -> Iterator[Step]:
        """All that may happen next. After a wrong answer nothing is worth looking at."""
        number, world = state
        stage = self.stage(state)
        if world.heat is Heat.DECEIVED:
            return
        for what, then in events(stage, world):
            yield Label(what), State(number, then)
        if stage in FINAL:
            return
        if not self.machine.is_due(number):
            yield Label("the wait is over"), State(self.machine.elapsed(number), world)
        if self._replaced(state) != number:
            # Each session begins with that.
            yield Label("superseded"), State(self._replaced(state), world)
        elif self.machine.may_act(number):
            yield from self._acts(number, stage, world)

    def _replaced(self, state: State) -> int:
        """What newer metadata, if they have come, make of the entry."""
        number, world = state
        if not world.is_known:
            return number
        machine = self.machine
        is_gone = world.plugin and world.heat is Heat.GONE
        return machine.vanished(number) if is_gone else machine.superseded(number)

    def _acts(self, number: int, stage: Stage, world: World) -> Iterator[Step]:
        intended = self.machine.intended(number)
        if intended != number:
            yield Label("stopped before the act"), State(intended, world)
        for outcome, then in requests(stage, world):
            if then != world:
                yield Label("stopped after the act", outcome), State(intended, then)
            yield Label(ROWS[stage].act.value, outcome), self._noted(number, outcome, then)

    def _noted(self, number: int, outcome: Outcome, world: World) -> State:
        found = self.machine.after(number, outcome)
        ends = self.machine.entries[found].stage in FINAL
        if ends and outcome not in ROWS[self.machine.entries[number].stage].then:
            world = world._replace(given_up=True)
        return State(found, world)

    def in_good_times(self, state: State) -> State | None:
        """What follows when from now on everything answers; None at the end."""
        number, world = state
        stage = self.stage(state)
        if stage in FINAL or world.heat is Heat.DECEIVED:
            return None
        if after := _read_in_good_times(world):
            return State(number, after)
        if self._replaced(state) != number:
            return State(self._replaced(state), world)
        if not self.machine.is_due(number):
            return State(self.machine.elapsed(number), world)
        if world.heat is Heat.GONE and not world.plugin:
            return self._noted(number, Outcome.REFUSED, world)
        served = next(each for each in requests(stage, world) if each[0] in FOUND)
        return self._noted(number, *served)

    def good_times_from(self, state: State) -> Iterator[State]:
        """All that follows when from now on everything answers."""
        following: State | None = state
        while following is not None:
            yield following
            following = self.in_good_times(following)

    def trace(self, state: State) -> str:
        """How a state was reached first, for people."""
        lines = [self._text(state)]
        while before := self.reached[state]:
            state, (what, outcome) = before
            lines += [f"    {what}{f': {outcome.value}' if outcome else ''}", self._text(state)]
        return "\n".join(reversed(lines))

    def _text(self, state: State) -> str:
        full = self.machine.entries[state.entry]
        counters = _told(full._asdict(), entry(full.stage)._asdict())
        world = _told(state.world._asdict(), World(state.world.heat)._asdict())
        return f"{full.stage.name} {counters}; Heat {state.world.heat.value} {world}"


def _read_in_good_times(world: World) -> World | None:
    """What Heat does, when nothing disturbs it; None where it has nothing to do."""
    if world.plugin:
        return explored_plugin.in_good_times(world)
    if world.heat in (Heat.WAITS, Heat.UPDATES) and world.queue:
        return _notified(world)._replace(queue=world.queue - 1)
    return None


def _told(content: Mapping[str, object], usual: Mapping[str, object]) -> str:
    told = {name: value for name, value in content.items() if value != usual[name]}
    return ", ".join(
        f"{name} {value.value if isinstance(value, Enum) else value}"
        for name, value in told.items()
    )


def agent_alone(machine: Machine) -> dict[int, set[int]]:
    """What follows each entry when anything may come of its acts, without an operator.

    One outcome is left out: that Heat has not taken what was posted as a last resort. It
    leads back, and comes no more when the message has lived its life.
    """
    edges: dict[int, set[int]] = {}
    pending = [machine.number(entry(stage)) for stage, _ in STARTS]
    while pending:
        number = pending.pop()
        if number not in edges:
            edges[number] = _following(machine, number)
            pending += edges[number]
    return edges


def _following(machine: Machine, number: int) -> set[int]:
    stage = machine.entries[number].stage
    if stage in FINAL:
        return set()
    if not machine.is_due(number):
        return {machine.elapsed(number)}
    outcomes = {*ROWS[stage].then, *FAILURES}
    if stage is Stage.WATCHING:
        outcomes.remove(Outcome.PRESENT)
    elsewhere = {machine.intended(number), machine.superseded(number), machine.vanished(number)}
    elsewhere -= {number}
    return elsewhere | {machine.after(number, outcome) for outcome in outcomes}


def longest_way(edges: Mapping[int, Iterable[int]]) -> int:
    """The most steps that lead on, one after the other.

    :raises graphlib.CycleError: there are steps that lead back.
    """
    steps: dict[int, int] = {}
    for number in TopologicalSorter(edges).static_order():
        steps[number] = max((1 + steps[following] for following in edges[number]), default=0)
    return max(steps.values())
