# SPDX-License-Identifier: Apache-2.0
"""A process with many servers: ``python -m scale.crowd FOLDER``.

FOLDER/told.json says which; what happens goes to FOLDER/notes, a line each, as it happens. It ends
with its standard input.
"""

from __future__ import annotations

import json
import random
import selectors
import sys
import time
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

from heat_config import log
from heat_config.cloud.errors import CloudError
from heat_config.collect.pace import jittered
from heat_config.collect.push import Push
from heat_config.collect.wakeup import CONNECT_EVERY
from scale.server import Server, Told
from scale.timetable import Timetable, started

# Each waits most of the time: for Zaqar, and up to ten seconds for Heat's word on a new result.
THREADS = 200


class Notes:
    """What happened, with the moment."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def of(self, number: int, what: str, config_id: str) -> None:
        """Write one line."""
        self._file.write(f"{time.time():.6f} {number} {what} {config_id or '-'}\n")


def main() -> None:
    """Serve, until nobody wants it any more."""
    folder = Path(sys.argv[1])
    told = [Told(**each) for each in json.loads((folder / "told.json").read_text())]
    _have_no_secrets()
    timetable = Timetable()
    with (folder / "notes").open("w", buffering=1) as file:
        notes = Notes(file)
        wakeups = Wakeups(timetable)
        for each in told:
            booting = _Booting(each, folder, notes, timetable, wakeups)
            timetable.add(_moment(each.begins), booting.boot)
        threads = started([timetable], THREADS)
        print("ready", flush=True)
        sys.stdin.read()
        timetable.end()
        for thread in threads:
            thread.join(5)
        notes.of(0, f"latest {timetable.latest:.1f}", "")


class Wakeups:
    """The websockets of all servers, and a thread that waits for what is announced on them."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._selector = selectors.DefaultSelector()
        Thread(target=self._wait, daemon=True).start()

    def add(self, push: Push, server: Server) -> None:
        """Have a server look whenever a message is announced."""
        self._selector.register(push, selectors.EVENT_READ, server)

    def _wait(self) -> None:
        while True:
            # Those that are added meanwhile are seen in the next turn.
            for key, _ in self._selector.select(0.1):
                self._read(key.fileobj, key.data)

    def _read(self, push: Any, server: Server) -> None:
        try:
            if push.read():
                self._timetable.add(time.monotonic(), server.woken)
        except CloudError:
            # As the service does: look at once, and connect again a moment later.
            self._selector.unregister(push)
            self._timetable.add(time.monotonic(), server.woken)
            self._timetable.add(time.monotonic() + jittered(1), partial(self._again, server))

    def _again(self, server: Server) -> float | None:
        try:
            self.add(server.pushed(), server)
        except CloudError:
            return time.monotonic() + jittered(CONNECT_EVERY)
        return server.woken()


class _Booting:
    """A server that is made when it boots."""

    def __init__(
        self, told: Told, folder: Path, notes: Notes, timetable: Timetable, wakeups: Wakeups
    ) -> None:
        self._told = told
        self._wakeups = wakeups
        self._folder = folder
        self._notes = notes
        self._timetable = timetable

    def boot(self) -> None:
        """Make it, and have it serve."""
        number = self._told.number

        def note(what: str, config_id: str) -> None:
            self._notes.of(number, what, config_id)

        note("boot", "")
        server = Server(self._told, self._folder / str(number), note)
        if self._told.websocket:
            self._wakeups.add(server.pushed(), server)
        self._timetable.add(time.monotonic(), server.turn)


def _moment(clock: float) -> float:
    """The monotonic moment of one by the clock."""
    return time.monotonic() + clock - time.time()


def _have_no_secrets() -> None:
    """One agent masks its own few secrets; those of thousands would make each line slow."""
    log.conceal = lambda _: None  # type: ignore[assignment]
    random.seed()


if __name__ == "__main__":
    main()
