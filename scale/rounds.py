# SPDX-License-Identifier: Apache-2.0
"""The rounds: what is asked of all servers, and what is broken meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import IO, NamedTuple

from heat_plugin import queues
from lab import Lab
from scale import users
from scale.heat import Heat, Round
from scale.server import Told
from scale.usage import Usage

# Seconds over which the servers boot.
STORM = 60.0
# Seconds for which Zaqar, or Keystone, is away.
ZAQAR_AWAY, KEYSTONE_AWAY = 10.0, 60.0
# Seconds after the beginning at which it goes.
AWAY_AFTER = 2.0
# A round in which nothing has come for so many seconds has lost what is missing. Beyond what an
# engine waits between two looks, a server between two polls and a result until its next try.
PATIENCE = 150.0
REPOSITORY = Path(__file__).resolve().parents[1]


class Way(Enum):
    """How servers are told, and answer."""

    SIGNED = "signed"
    USERS = "users"
    WEBSOCKET = "websocket"


class Figures(NamedTuple):
    """One round, and what the services have used in it."""

    round: Round
    away: int
    """How many looks of the servers Zaqar has not served."""
    seconds: float
    cpu: dict[str, float]
    requests: dict[str, Counter[str]]


class Crowd:
    """Processes with the servers. They note what happens in files."""

    def __init__(self, folder: Path, told: list[Told], processes: int) -> None:
        self._folders = [folder / str(number) for number in range(processes)]
        self._read = [0] * processes
        self._running = [
            _started(each, told[number::processes]) for number, each in enumerate(self._folders)
        ]

    def close(self) -> None:
        """End them."""
        for process, _ in self._running:
            process.communicate()

    def news(self) -> Iterator[tuple[float, int, str, str]]:
        """What was noted since the last time: when, by which server, what, of which config."""
        for number, folder in enumerate(self._folders):
            with (folder / "notes").open("rb") as file:
                file.seek(self._read[number])
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read[number] += len(whole)
            for line in whole.decode().splitlines():
                moment, server, *what, config = line.split()
                yield float(moment), int(server), " ".join(what), config


def _started(folder: Path, told: list[Told]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    folder.mkdir(parents=True)
    (folder / "told.json").write_text(json.dumps([each._asdict() for each in told]))
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "scale.crowd", str(folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    assert process.stdout  # noqa: S101 - as it was asked for
    process.stdout.readline()
    return process, log


class Play:
    """All rounds, one after the other."""

    def __init__(self, lab: Lab, heat: Heat, say: Callable[[str], None]) -> None:
        self._lab = lab
        self._heat = heat
        self._say = say
        self._told: list[Told] = []
        self._crowd: Crowd | None = None

    @contextmanager
    def servers(
        self, folder: Path, number: int, processes: int, way: Way
    ) -> Iterator[list[Figures]]:
        """Boot them within a minute; the block goes on when all have answered."""
        given = self._given(number, way)
        self._say(f"{number} servers can be booted")
        usage, found = Usage(self._lab), Round("boot storm")
        self._told = [
            each._replace(begins=found.began + 5 + STORM * each.number / number) for each in given
        ]
        self._crowd = Crowd(folder, self._told, processes)
        try:
            for each in self._told:
                self._heat.begin(found, each, 0)
            yield [self._ended(found, usage)]
        finally:
            self._crowd.close()

    def _given(self, number: int, way: Way) -> list[Told]:
        """What the servers are told: a queue, and how they reach it."""
        names = [queues.new_name() for _ in range(number)]
        if way is Way.SIGNED:
            return [
                Told(each, name, 0, self._heat.address_of(name)) for each, name in enumerate(names)
            ]
        given = users.made(self._lab, number)
        pushed = way is Way.WEBSOCKET
        return [
            Told(each, name, 0, user=user, websocket=pushed)
            for each, (name, user) in enumerate(zip(names, given, strict=True))
        ]

    def update(
        self, name: str, *, hold: float = 0, meanwhile: Callable[[], None] | None = None
    ) -> Figures:
        """Ask something of all; ``hold``: all runs end so many seconds after the beginning."""
        usage, found = Usage(self._lab), Round(name)
        ends = found.began + hold if hold else 0.0
        for each in self._told:
            self._heat.begin(found, each, ends)
        if meanwhile:
            time.sleep(AWAY_AFTER)
            meanwhile()
        return self._ended(found, usage)

    def without(self, service: str, seconds: float) -> None:
        """Have a service be away."""
        self._lab.kill(service)
        time.sleep(seconds)
        self._lab.start(service)

    def _ended(self, found: Round, usage: Usage) -> Figures:
        """Wait until all results are taken, or none has come for long."""
        away, last = 0, time.monotonic()
        by_server = {each.server: each for each in found.awaited.values()}
        while time.monotonic() - last < PATIENCE:
            for moment, server, what, config in self._news():
                away += what == "away"
                if what == "boot":
                    by_server[server].booted = moment
                awaited = found.awaited.get(config)
                if awaited and what == "hook":
                    awaited.hook, awaited.hooks = moment, awaited.hooks + 1
                    last = time.monotonic()
                elif awaited and what == "ended":
                    awaited.ended = moment
            taken = [each.taken for each in found.awaited.values() if each.taken]
            if len(taken) == len(found.awaited) and all(
                each.ended for each in found.awaited.values()
            ):
                break
            if taken:
                last = max(last, time.monotonic() - (time.time() - max(taken)))
            time.sleep(0.5)
        seconds = time.time() - found.began
        counted = {name: usage.requests(name) for name in ("zaqar", "keystone")}
        return Figures(found, away, seconds, usage.cpu(), counted)

    def _news(self) -> Iterator[tuple[float, int, str, str]]:
        assert self._crowd  # noqa: S101 - made before any round
        return self._crowd.news()
