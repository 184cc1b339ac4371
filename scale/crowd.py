# SPDX-License-Identifier: Apache-2.0
"""A process with many servers: ``python -m scale.crowd FOLDER``.

FOLDER/told.json says which; what happens goes to FOLDER/notes, a line each, as it happens. It ends
with its standard input.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import TextIO

from heat_config import log
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
        self._file.write(f"{time.time():.3f} {number} {what} {config_id or '-'}\n")


def main() -> None:
    """Serve, until nobody wants it any more."""
    folder = Path(sys.argv[1])
    told = [Told(**each) for each in json.loads((folder / "told.json").read_text())]
    _have_no_secrets()
    timetable = Timetable()
    with (folder / "notes").open("w", buffering=1) as file:
        notes = Notes(file)
        for each in told:
            timetable.add(_moment(each.begins), _Booting(each, folder, notes, timetable).boot)
        threads = started([timetable], THREADS)
        print("ready", flush=True)
        sys.stdin.read()
        timetable.end()
        for thread in threads:
            thread.join(5)
        notes.of(0, f"latest {timetable.latest:.1f}", "")


class _Booting:
    """A server that is made when it boots."""

    def __init__(self, told: Told, folder: Path, notes: Notes, timetable: Timetable) -> None:
        self._told = told
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
