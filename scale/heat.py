# SPDX-License-Identifier: Apache-2.0
"""Heat's part, with the plug-in's own code for queues: posts metadata, reads results."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock, local
from typing import Any

from heat_config.cloud import signed
from heat_config.cloud.errors import CloudError
from heat_config.cloud.zaqar import Connection
from heat_plugin import pacing, posting, queues, reading
from scale.server import Told
from scale.timetable import Timetable, started

# Seconds that Heat's messages live, and signed addresses here.
TTL = 3600
LIFE = 86_400
# Seconds after which what Zaqar or Keystone has not served is asked again, as the plug-in's look.
AGAIN = 1.0


@dataclass
class Awaited:
    """One deployment from its post to its result; moments by the clock, 0: not yet."""

    server: int
    config: str
    queue: str
    posted: float = 0.0
    hook: float = 0.0
    ended: float = 0.0
    taken: float = 0.0
    hooks: int = 0
    booted: float = 0.0

    @property
    def seen_after(self) -> float:
        """Seconds until the hook, from when both the metadata and the server were there."""
        return self.hook - max(self.posted, self.booted)


@dataclass
class Round:
    """What is asked of all servers at once."""

    name: str
    began: float = field(default_factory=time.time)
    awaited: dict[str, Awaited] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)


class Heat:
    """Several engines, each with as many looks in a second as the plug-in allows itself."""

    def __init__(self, connect: Callable[[], Connection], engines: int, threads: int) -> None:
        """Begin. ``connect``: Heat's connection to Zaqar, one for each thread."""
        self._connect = connect
        self._local = local()
        self._lock = Lock()
        self._waiting = [0] * engines
        self._timetables = [Timetable() for _ in range(engines)]
        self._threads = started(self._timetables, threads)

    def close(self) -> None:
        """End its threads."""
        for timetable in self._timetables:
            timetable.end()

    def address_of(self, name: str) -> str:
        """An address with which a server reads its queue."""
        return self._signed(name, ("GET", "DELETE"))

    def _signed(self, name: str, methods: Sequence[str]) -> str:
        endpoint = self._connection().endpoint()
        return signed.written(self.queue(name).address(endpoint, methods, LIFE))

    def begin(self, found: Round, told: Told, ends: float) -> None:
        """Have a deployment asked of a server, whose run ends at a moment of the clock."""
        awaited = Awaited(told.number, str(uuid.uuid4()), queues.new_name())
        with self._lock:
            found.awaited[awaited.config] = awaited
        engine = told.number % len(self._timetables)
        work = _Work(self, found, awaited, told, ends, engine)
        self._timetables[engine].add(time.monotonic(), work.post)

    def waits(self, engine: int, more: int) -> int:
        """How many an engine waits for, after so many more."""
        with self._lock:
            self._waiting[engine] += more
            return self._waiting[engine]

    def look_at(self, engine: int, moment: float, look: Callable[[], float | None]) -> None:
        """Have a look made."""
        self._timetables[engine].add(moment, look)

    def queue(self, name: str) -> queues.Queue:
        """A queue, in the name of Heat."""
        return queues.Queue(self._connection(), name)

    def _connection(self) -> Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
        found: Connection = self._local.connection
        return found

    def metadata(self, awaited: Awaited, ends: float, user: Mapping[str, str]) -> dict[str, Any]:
        """The metadata of a server with this one deployment, whose result its user sends.

        ``user``: as the server is told of it; none: a signed address.
        """
        values = self._by_user(awaited, user) if user else self._by_address(awaited)
        inputs = [{"name": name, "type": "String", "value": text} for name, text in values.items()]
        item = {
            "id": awaited.config,
            "name": "step",
            "group": "script",
            "config": str(ends),
            "creation_time": "2026-11-25T00:00:00Z",
            "inputs": inputs,
            "outputs": [],
            "options": {},
        }
        return {"deployments": [item]}

    def _by_address(self, awaited: Awaited) -> dict[str, str]:
        return {
            "deploy_signal_transport": "ZAQAR_MESSAGE",
            "deploy_signal_id": self._signed(awaited.queue, queues.RESULT_METHODS),
            "deploy_signal_verb": "POST",
        }

    def _by_user(self, awaited: Awaited, user: Mapping[str, str]) -> dict[str, str]:
        return {
            "deploy_signal_transport": "ZAQAR_MESSAGE",
            "deploy_queue_id": awaited.queue,
            **{f"deploy_{name}": value for name, value in user.items()},
        }


class _Work:
    """One deployment, as the plug-in's work in the engine."""

    def __init__(
        self, heat: Heat, found: Round, awaited: Awaited, told: Told, ends: float, engine: int
    ) -> None:
        self._heat = heat
        self._round = found
        self._awaited = awaited
        self._told = told
        self._ends = ends
        self._engine = engine

    def post(self) -> float | None:
        """Post the metadata, until Zaqar has them; from then on look."""
        try:
            content = self._heat.metadata(self._awaited, self._ends, self._told.user)
            # A server may have it before Zaqar has answered.
            began = time.time()
            posting.post(self._heat.queue(self._told.queue), content, TTL)
        except CloudError as error:
            self._round.errors[error.outcome.value] += 1
            return time.monotonic() + AGAIN
        self._awaited.posted = began
        self._heat.waits(self._engine, 1)
        self._heat.look_at(self._engine, self._next(), self.look)
        return None

    def look(self) -> float | None:
        """Look once at the queue of the result; None when it is there."""
        queue = self._heat.queue(self._awaited.queue)
        try:
            if reading.read(queue, self._awaited.config, self._take, ended=False, nameless=False):
                self._heat.waits(self._engine, -1)
                return None
        except CloudError as error:
            self._round.errors[error.outcome.value] += 1
            if self._awaited.taken:
                return None
            return time.monotonic() + AGAIN
        return self._next()

    def _next(self) -> float:
        since = time.time() - self._awaited.posted
        return time.monotonic() + pacing.pause(since, self._heat.waits(self._engine, 0))

    def _take(self, _: dict[str, Any]) -> None:
        self._awaited.taken = time.time()
