# SPDX-License-Identifier: Apache-2.0
"""Heat's plug-in and one action's own queue, as a part of the world that is explored.

What the plug-in does is :func:`heat_plugin.answer.next_step`, in the steps in which it takes them:
it lists the queue, signals the deployment, acknowledges, removes. Its engine may be killed before
each, and begin anew with a list, or never look again. Between two steps anything else may happen:
the queue's storage may be emptied, above all.

Kept small: one copy of the result may still be on its way, and two on the queue are all.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from heat_config.cloud.errors import Outcome
from heat_config.delivery.policy import ROWS, Act
from heat_plugin import answer
from heat_plugin.answer import Step, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heat_config.delivery.entry import Stage
    from tests.support.exploration import World

_COPIES = 2


class Heat(Enum):
    """What Heat does with the deployment."""

    WAITS = "waits for the result"
    HAS = "has the result"
    STOPPED = "has stopped waiting"
    UPDATES = "waits for the update's result"
    UPDATED = "has the update's result"
    DECEIVED = "has taken the result for the update's"
    GONE = "has no such stack any more"


class Look(NamedTuple):
    """What the plug-in knows of the queue: a View, in figures."""

    ended: bool
    has_answer: bool
    acknowledged: bool
    results: int

    @property
    def next_step(self) -> Step:
        """What it does next."""
        view = View(
            self.ended,
            {"deploy_config_id": "c1"} if self.has_answer else None,
            self.acknowledged,
            tuple(map(str, range(self.results))),
        )
        return answer.next_step(view)


class Plugin(NamedTuple):
    """What the plug-in has left on the queue, and what it has in mind."""

    word: bool = False
    """Whether its acknowledgement is on the queue."""
    look: Look | None = None
    """What it has seen, between two steps; None before it looks, and when it was killed."""
    is_over: bool = False
    """Whether it looks no more: all was done, or its engine was killed and none has taken over."""


@cache
def requests(stage: Stage, world: World) -> tuple[tuple[Outcome, World], ...]:
    """What may come of the act of a stage, where it was served."""
    if ROWS[stage].act is Act.LOOK:
        return ((_found(world), world),)
    return tuple(_posts(world))


def _found(world: World) -> Outcome:
    assert world.plugin
    if world.plugin.word:
        return Outcome.ACKNOWLEDGED
    return Outcome.PRESENT if world.queue else Outcome.ABSENT


def _posts(world: World) -> Iterator[tuple[Outcome, World]]:
    """It may come once or twice, at once or late, and its answer may be lost."""
    for now, later in ((1, 0), (2, 0), (1, 1), (0, 1)):
        queue, posts = min(world.queue + now, _COPIES), min(world.posts + later, 1)
        after = world._replace(queue=queue, posts=posts)
        yield Outcome.UNKNOWN, after
        if now:
            yield Outcome.ACCEPTED, after


def events(world: World) -> Iterator[tuple[str, World]]:
    """What may happen to the queue, and by the plug-in, which never reads another action's."""
    plugin = world.plugin
    assert plugin
    if world.queue or plugin.word:
        yield "the storage is emptied", _with(world, word=False)._replace(queue=0)
    if world.queue > 1:
        yield "a message is lost", world._replace(queue=world.queue - 1)
    if world.posts:
        yield "a late copy is lost", world._replace(posts=0)
        if world.queue < _COPIES:
            yield "a late copy arrives", world._replace(posts=0, queue=world.queue + 1)
    if plugin.is_over:
        return
    if plugin.look:
        yield "the engine is killed", _with(world, look=None)
        yield f"the plug-in: {plugin.look.next_step.value}", _stepped(world, plugin.look)
    else:
        yield "the plug-in looks", _looked(world)
        if has_ended(world):
            # Heat waits for an answer as long as something looks for one.
            yield "the plug-in looks no more", _with(world, is_over=True)


def in_good_times(world: World) -> World | None:
    """What the plug-in does next; None where it has nothing to do."""
    plugin = world.plugin
    assert plugin
    if plugin.look:
        return _stepped(world, plugin.look)
    looks = world.queue or (has_ended(world) and not plugin.word)
    return _looked(world) if looks and not plugin.is_over else None


def has_ended(world: World) -> bool:
    """Whether Heat waits for this action's result no more."""
    return world.heat is not Heat.WAITS


def _with(world: World, **changed: object) -> World:
    assert world.plugin
    return world._replace(plugin=world.plugin._replace(**changed))  # type: ignore[arg-type]


def _looked(world: World) -> World:
    assert world.plugin
    found = Look(has_ended(world), world.queue > 0, world.plugin.word, world.queue)
    return _with(world, look=found)


def _stepped(world: World, look: Look) -> World:
    """One step, and what it knows after it, as heat_plugin.reading has it."""
    step = look.next_step
    if step is Step.SIGNAL:
        # Heat ignores what comes when it does not wait.
        heat = Heat.HAS if world.heat is Heat.WAITS else world.heat
        return _with(world, look=look._replace(ended=True))._replace(heat=heat)
    if step is Step.ACKNOWLEDGE:
        return _with(world, word=True, look=look._replace(acknowledged=True))
    if step is Step.REMOVE:
        left = world._replace(queue=max(world.queue - look.results, 0))
        return _with(left, look=look._replace(results=0))
    return _with(world, look=None, is_over=step is Step.DONE)
