# SPDX-License-Identifier: Apache-2.0
"""A chain of dependent deployments, created once with one contender.

The floor is a program that puts a result on each deployment's queue as soon as the metadata
that has it is posted: what it takes is Heat's own time. Heat looks for a result at once after
its post, and from then on once a second (``heat.engine.scheduler.TaskRunner``), so that an
answer after a tenth of a second costs as much as one after nine: what a server can reach that
has to start a program is the second floor, of an answer that comes for Heat's second look.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any, NamedTuple, Protocol

from bench.servers import Ours, Peer
from lab.stack import Heat
from tests.support.place import Place
from tests.support.template import template

LENGTH = 10
FLOOR, SECOND_FLOOR = "floor", "second look"
WEBSOCKET, POLLING, SIGNED, PEER = "websocket", "polling", "signed", "peer"
# Seconds between two looks of the floor's program.
FLOOR_EVERY = 0.02
# Seconds from the post to the answer of the second floor.
SECOND_LOOK = 0.5
# Seconds that a chain may take: the peer's takes more than three minutes.
PATIENCE = 290.0


class Serve(Protocol):
    """Makes a server and serves a stack that has told it this."""

    def __call__(self, given: dict[str, Any]) -> AbstractContextManager[object]:
        """Serve while the stack is created."""


def taken(heat: Heat, name: str, root: Path, *, plugin: bool) -> float:
    """Create a stack with a contender's server in ``root``; return how many seconds that took.

    ``plugin``: whether Heat has the plug-in; results then are sent to signed addresses.
    """
    contender = _contender(name, root)
    made = _template(
        server_transport="ZAQAR_SIGNED" if name == SIGNED else "ZAQAR_MESSAGE",
        signal_transport="ZAQAR_MESSAGE" if plugin else contender.signal_transport,
    )
    begun = monotonic()
    stack = heat.create(f"chain-{uuid.uuid4().hex[:8]}", made)
    with contender.serve(stack.wait_for_server()):
        ended = stack.wait("CREATE", patience=PATIENCE)
        seconds = monotonic() - begun
    if ended != "COMPLETE":
        raise RuntimeError(f"the stack failed: {stack.reason}")
    stack.delete()
    return seconds


def _template(**transports: str) -> dict[str, Any]:
    names = [f"step{number}" for number in range(LENGTH)]
    config = {"config": "#!/bin/sh\necho done"}
    made = template(**transports, deployments=dict.fromkeys(names, config))
    for before, name in pairwise(names):
        made["resources"][f"{name}_deployment"]["depends_on"] = f"{before}_deployment"
    return made


class Floor:
    """Answers each deployment ``after`` so many seconds."""

    def __init__(self, after: float) -> None:
        self._after = after

    @contextmanager
    def serving(self, given: dict[str, Any]) -> Iterator[None]:
        """Answer while the stack is created."""
        ended = Event()
        answering = Thread(target=_answer, args=(Place(given), ended, self._after))
        answering.start()
        try:
            yield
        finally:
            ended.set()
            answering.join()


def _answer(place: Place, ended: Event, after: float) -> None:
    while not ended.wait(FLOOR_EVERY):
        for item in place.new():
            ended.wait(after)
            place.answer(item)


class _Contender(NamedTuple):
    """What serves a stack, and the way out that it uses on Heat alone."""

    serve: Serve
    signal_transport: str = "ZAQAR_SIGNAL"


def _contender(name: str, root: Path) -> _Contender:
    if name == FLOOR:
        return _Contender(Floor(0).serving)
    if name == SECOND_FLOOR:
        return _Contender(Floor(SECOND_LOOK).serving)
    if name == PEER:
        # With Zaqar's it cannot answer.
        return _Contender(Peer(root).serving, "HEAT_SIGNAL")
    return _Contender(Ours(root, use_websockets=name == WEBSOCKET).serving)
