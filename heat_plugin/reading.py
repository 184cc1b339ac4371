# SPDX-License-Identifier: Apache-2.0
"""One look at a deployment's queue, and all that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from heat_plugin import answer
from heat_plugin.answer import Step, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heat_config.cloud.zaqar import Message


class Queue(Protocol):
    """What is used of a queue: see :class:`heat_plugin.queues.Queue`."""

    def messages(self) -> list[Message]:
        """All that is there."""

    def acknowledge(self, config_id: str) -> None:
        """Post Heat's word."""

    def remove(self, ids: Sequence[str]) -> None:
        """Remove messages."""


def read(
    queue: Queue,
    config_id: str,
    signal: Callable[[dict[str, Any]], None],
    *,
    ended: bool,
    nameless: bool,
    listed: Sequence[Message] | None = None,
) -> bool:
    """Look once; return whether Heat waits no longer.

    ``signal`` gives Heat a result, ``ended``: whether Heat has waited no longer before;
    ``nameless``: see :func:`heat_plugin.answer.view`; ``listed``: what is there, if that is known.

    :raises CloudError: the queue does not serve. A later look goes on from there.
    """
    found = queue.messages() if listed is None else listed
    seen = answer.view(found, config_id, ended=ended, nameless=nameless)
    while (step := answer.next_step(seen)) not in (Step.WAIT, Step.DONE):
        seen = _take(step, seen, queue, config_id, signal)
    return seen.ended


def _take(
    step: Step, seen: View, queue: Queue, config_id: str, signal: Callable[[dict[str, Any]], None]
) -> View:
    """Do one step; return what is known after it."""
    if step is Step.SIGNAL and seen.answer is not None:
        signal(seen.answer)
        return seen._replace(ended=True)
    if step is Step.ACKNOWLEDGE:
        queue.acknowledge(config_id)
        return seen._replace(acknowledged=True)
    queue.remove(seen.results)
    return seen._replace(results=())
