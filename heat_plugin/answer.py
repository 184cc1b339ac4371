# SPDX-License-Identifier: Apache-2.0
"""What a look at a deployment's queue means, and what comes next. No I/O; loss is decided here.

A result is read without being taken. Heat is signalled; when Heat has it, the acknowledgement is
posted; and only when that is on the queue are the results removed. An engine that is killed
anywhere in between leaves what the next look, its own or the server's, needs::

    what Heat says   on the queue                    next
    IN_PROGRESS      no answer                       WAIT
    IN_PROGRESS      an answer                       SIGNAL       Heat takes one, and ignores others
    ended            no acknowledgement              ACKNOWLEDGE
    ended            acknowledgement and results     REMOVE
    ended            acknowledgement only            DONE
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config.cloud import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heat_config.cloud.zaqar import Message


class Step(Enum):
    """What to do after a look."""

    WAIT = "wait"
    SIGNAL = "signal"
    ACKNOWLEDGE = "acknowledge"
    REMOVE = "remove"
    DONE = "done"


class View(NamedTuple):
    """What is known of one action of a deployment."""

    ended: bool
    """Whether Heat waits no longer: it has a result, or was told so otherwise."""
    answer: dict[str, Any] | None = None
    """The result of this config that is on the queue."""
    acknowledged: bool = False
    results: tuple[str, ...] = ()
    """The ids of all messages that are no acknowledgement of this config."""


def next_step(view: View) -> Step:
    """What comes next: the table above."""
    if not view.ended:
        return Step.WAIT if view.answer is None else Step.SIGNAL
    if not view.acknowledged:
        return Step.ACKNOWLEDGE
    return Step.REMOVE if view.results else Step.DONE


def view(messages: Sequence[Message], config_id: str, *, ended: bool, nameless: bool) -> View:
    """What the messages on the queue of one action mean.

    ``nameless``: also take a message that names no config, of an agent that does not know that
    key. The queue is this action's own, so that it can be no other config's; one that names
    another is taken in no case.
    """
    acknowledged = any(signed.acknowledges(each.body, config_id) for each in messages)
    results = [each for each in messages if not signed.acknowledges(each.body, config_id)]
    return View(
        ended,
        _answer([each.body for each in results], config_id, nameless=nameless),
        acknowledged,
        tuple(each.id for each in results),
    )


def _answer(bodies: list[Any], config_id: str, *, nameless: bool) -> dict[str, Any] | None:
    """The first that names the config, else the first that names none where that may be."""
    found = [
        body for body in bodies if isinstance(body, dict) and not signed.is_acknowledgement(body)
    ]
    named = [body for body in found if signed.config_of(body) == config_id]
    unnamed = [body for body in found if signed.CONFIG_ID not in body] if nameless else []
    return next(iter(named + unnamed), None)
