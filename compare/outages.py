# SPDX-License-Identifier: Apache-2.0
"""Zaqar or Keystone away, in each phase of a stack's life.

Heat's API serves without Zaqar, so that one outage of it does for all phases. Without Keystone the
API serves nobody: each phase has an outage of its own, which begins when the request is accepted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from compare.side import Served, Side, judged
from compare.verdict import Verdict

ZAQAR_AWAY = 30.0
KEYSTONE_AWAY = 15.0
# With SUSPEND among them, so that there is something to do for the server.
ACTIONS = ["CREATE", "UPDATE", "SUSPEND", "RESUME"]

Verdicts = Iterator[tuple[str, Verdict]]


class Phase(NamedTuple):
    """One phase: what must be there before the outage, what is asked, and what is to end."""

    name: str
    prepare: Callable[[Side], Served | None]
    ask: Callable[[Side, Served | None], Served]
    action: str


def _nothing(_: Side) -> None:
    """There is no stack yet."""


def _complete(side: Side) -> Served:
    return side.created(side.template(actions=ACTIONS))


def _create(side: Side, _: Served | None = None) -> Served:
    return Served(side.create(side.template(actions=ACTIONS)))


def _in_progress(side: Side) -> Served:
    """A stack that waits for its server."""
    served = _create(side)
    served.told()
    return served


def _wait(_: Side, served: Served | None) -> Served:
    assert served  # noqa: S101 - it was prepared
    return served


def _update(side: Side, served: Served | None) -> Served:
    there = _wait(side, served)
    there.stack.update(side.template("second", actions=ACTIONS))
    return there


def _suspend(side: Side, served: Served | None) -> Served:
    there = _wait(side, served)
    there.stack.suspend()
    return there


def _delete(side: Side, served: Served | None) -> Served:
    there = _wait(side, served)
    there.stack.begin_to_delete()
    return there


PHASES = (
    Phase("create", _nothing, _create, "CREATE"),
    Phase("in progress", _in_progress, _wait, "CREATE"),
    Phase("update", _complete, _update, "UPDATE"),
    Phase("suspend", _complete, _suspend, "SUSPEND"),
    Phase("delete", _complete, _delete, "DELETE"),
)


def cases(side: Side) -> Verdicts:
    """All of them."""
    yield from zaqar(side)
    yield from keystone(side)


def zaqar(side: Side) -> Verdicts:
    """One outage for all phases."""
    before = [(phase, phase.prepare(side)) for phase in PHASES]
    side.lab.stop("zaqar")
    try:
        asked = [(phase, phase.ask(side, served)) for phase, served in before]
        time.sleep(ZAQAR_AWAY)
    finally:
        side.lab.start("zaqar")
    for phase, served in asked:
        yield f"Zaqar away {ZAQAR_AWAY:.0f} s: {phase.name}", judged(_end, served, phase.action)


def keystone(side: Side) -> Verdicts:
    """An outage for each phase."""
    for phase in PHASES:
        name = f"Keystone away {KEYSTONE_AWAY:.0f} s: {phase.name}"
        yield name, judged(_without_keystone, side, phase)


def _without_keystone(side: Side, phase: Phase) -> Verdict:
    before = phase.prepare(side)
    served = phase.ask(side, before)
    side.lab.stop("keystone")
    try:
        time.sleep(KEYSTONE_AWAY)
    finally:
        side.lab.start("keystone")
    return _end(served, phase.action)


def _end(served: Served, action: str) -> Verdict:
    """How an action has ended. When it did is not known: others were waited for before it."""
    ended = served.ended(action)
    return ended._replace(said="complete") if ended.passed else ended
