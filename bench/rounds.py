# SPDX-License-Identifier: Apache-2.0
"""How much memory of a service grows in rounds at full speed."""

from __future__ import annotations

import time
from pathlib import Path

from bench.figures import resident, show
from bench.servers import Ours
from bench.waiting import Told
from lab import Lab
from lab.stack import wait_for

# Seconds that all of them may take.
PATIENCE = 3600.0


def measure(lab: Lab, folder: Path, count: int) -> None:
    """Go round; the first tenth is not counted."""
    server = Ours(folder / "rounds", min_polling_interval=0, polling_interval=0)
    server.tune("from heat_config.collect import options; options.BOUNDS.clear()")
    told = Told(lab, server)
    looks = Looks(lab.logs["zaqar"], told.queue)
    with server.serving(told.given) as pid:
        told.post()
        told.wait()
        looks.wait(count // 10)
        before = resident(pid)
        begun = time.monotonic()
        looks.wait(count + count // 10)
        show(f"{count} rounds at full speed", time.monotonic() - begun, "s")
        show(f"resident memory after {count} rounds", resident(pid), "MB")
        show(f"its growth over {count} rounds", resident(pid) - before, "MB")


class Looks:
    """How often a queue was looked at, by Zaqar's log."""

    def __init__(self, log: Path, queue: str) -> None:
        self._file = log.open(errors="replace")
        self._text = f"GET /v2/queues/{queue}/messages"
        self._seen = 0

    def wait(self, count: int) -> None:
        """Wait until it was looked at so often."""
        wait_for("the rounds", lambda: self._count() >= count, patience=PATIENCE)

    def _count(self) -> int:
        self._seen += sum(self._text in line for line in self._file)
        return self._seen
