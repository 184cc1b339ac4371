# SPDX-License-Identifier: Apache-2.0
"""A chain of dependent deployments: how long a stack of them takes to create.

The floor is a program that puts a result on each deployment's queue as soon as the metadata
that has it is posted: what it takes is Heat's own time. Heat looks for a result at once after
its post, and from then on once a second (``heat.engine.scheduler.TaskRunner``), so that an
answer after a tenth of a second costs as much as one after nine: what a server can reach that
has to start a program is the second floor, of an answer that comes for Heat's second look.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlencode

from bench.figures import show
from bench.servers import Ours, Peer
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from lab import Lab
from lab.stack import Heat
from tests.support.template import template

LENGTH = 10
# What is run as often as it is asked for; the peer takes its time.
IN_TURN = ("floor", "second look", "websocket", "polling")
_RATIOS = (
    {
        "second look/floor": ("second look", "floor"),
        "chain/second look websocket": ("websocket", "second look"),
        "chain/second look polling": ("polling", "second look"),
    },
    {
        "chain/floor websocket": ("websocket", "floor"),
        "chain/floor polling": ("polling", "floor"),
        "peer/ours": ("peer", "polling"),
    },
)
# Seconds between two looks of the floor's program.
FLOOR_EVERY = 0.02
# Seconds from the post to the answer of the second floor.
SECOND_LOOK = 0.5
# Seconds that a chain may take: the peer's takes more than three minutes.
PATIENCE = 290.0

_CLIENT = {"Client-ID": str(uuid.UUID(int=2, version=4))}
_RESULT = {"deploy_stdout": "done\n", "deploy_stderr": "", "deploy_status_code": 0}


class Serve(Protocol):
    """Makes a server and serves a stack that has told it this."""

    def __call__(self, given: dict[str, Any]) -> AbstractContextManager[object]:
        """Serve while the stack is created."""


def measure(lab: Lab, folder: Path, runs: Mapping[str, int]) -> None:
    """Create the chains, in turns, and print the medians and what they are of each other."""
    heat = Heat(lab.environment())
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(max(runs.values())):
        for name, count in runs.items():
            if number < count:
                root = folder / f"chain-{name}-{number}"
                taken[name].append(_chain(heat, *_contender(name, root)))
    for name, seconds in taken.items():
        if seconds:
            show(f"chain of {LENGTH}, {name}, median of {len(seconds)}", median(seconds), "s")
    print_ratios({name: median(seconds) for name, seconds in taken.items() if seconds})


def print_ratios(taken: Mapping[str, float]) -> None:
    """The last lines; what was not run is left out. Ours against the peer is by polling."""
    for pairs in _RATIOS:
        ratios = [
            f"{name}: {taken[one] / taken[other]:.2f}"
            for name, (one, other) in pairs.items()
            if one in taken and other in taken
        ]
        print(", ".join(ratios), flush=True)


def _chain(heat: Heat, transport: str, serve: Serve) -> float:
    """Create the stack; return how many seconds that took."""
    names = [f"step{number}" for number in range(LENGTH)]
    made = template(
        server_transport="ZAQAR_MESSAGE",
        signal_transport=transport,
        deployments={name: {"config": "#!/bin/sh\necho done"} for name in names},
    )
    for before, name in pairwise(names):
        made["resources"][f"{name}_deployment"]["depends_on"] = f"{before}_deployment"
    begun = monotonic()
    stack = heat.create(f"chain-{uuid.uuid4().hex[:8]}", made)
    with serve(stack.wait_for_server()):
        ended = stack.wait("CREATE", patience=PATIENCE)
        taken = monotonic() - begun
    if ended != "COMPLETE":
        raise SystemExit(f"the stack failed: {stack.reason}")
    stack.delete()
    return taken


class Floor:
    """Answers each deployment ``after`` so many seconds."""

    def __init__(self, after: float) -> None:
        self._after = after

    @contextmanager
    def serving(self, given: dict[str, Any]) -> Iterator[None]:
        """Answer while the stack is created."""
        ended = Event()
        answering = Thread(target=_answer, args=(given["zaqar"], ended, self._after))
        answering.start()
        try:
            yield
        finally:
            ended.set()
            answering.join()


def _answer(zaqar: dict[str, Any], ended: Event, after: float) -> None:
    user = User(Credentials.from_section({"region_name": None, **zaqar}), Trust())
    queues = f"{user.endpoint('messaging')}/v2/queues"
    ids: set[str] = set()
    answered: set[str] = set()
    while not ended.wait(FLOOR_EVERY):
        query = urlencode({"echo": "true", "limit": 20})
        url = f"{queues}/{zaqar['queue_id']}/messages?{query}"
        found = user.request(url, "GET", headers=_CLIENT).json()
        new = [one for one in found.get("messages", []) if one["id"] not in ids]
        for item in (item for one in new for item in one["body"]["deployments"]):
            if item["id"] not in answered:
                answered.add(item["id"])
                given = {each["name"]: each["value"] for each in item["inputs"]}
                path = f"{queues}/{given['deploy_queue_id']}/messages"
                body = {"messages": [{"body": _RESULT, "ttl": 300}]}
                ended.wait(after)
                user.request(path, "POST", headers=_CLIENT, json=body)
        ids |= {one["id"] for one in new}


def _contender(name: str, root: Path) -> tuple[str, Serve]:
    """The way out that it uses, and what serves the stack."""
    if name == "floor":
        return "ZAQAR_SIGNAL", Floor(0).serving
    if name == "second look":
        return "ZAQAR_SIGNAL", Floor(SECOND_LOOK).serving
    if name == "peer":
        # With Zaqar's it cannot answer.
        return "HEAT_SIGNAL", Peer(root).serving
    return "ZAQAR_SIGNAL", Ours(root, use_websockets=name == "websocket").serving
