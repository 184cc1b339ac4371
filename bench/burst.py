# SPDX-License-Identifier: Apache-2.0
"""Many large messages at once, of which only the newest has to be applied."""

from __future__ import annotations

import time
from pathlib import Path

from bench.figures import peak, resident, show
from lab import Lab
from lab.stack import wait_for
from tests.support.collecting import Collecting, body, has_applied

SIZE = 200_000


def measure(lab: Lab, folder: Path, messages: int) -> None:
    """Post them to a server that is off, then start it."""
    collecting = Collecting(lab, folder / "burst")
    for number in range(messages):
        collecting.post({**body(number), "x": "x" * SIZE})
    begun = time.monotonic()
    program = collecting.start()
    try:
        wait_for("the newest", lambda: has_applied(collecting, messages - 1))
        taken = time.monotonic() - begun
        wait_for("an empty queue", lambda: collecting.waiting() == [])
        name = f"burst of {messages} messages of {SIZE // 1000} KB"
        show(f"{name}, until the newest is applied", taken, "s")
        show(f"{name}, applied", len(collecting.applied()), "of them")
        show(f"{name}, resident memory at most", peak(program.pid), "MB")
        show(f"{name}, resident memory afterwards", resident(program.pid), "MB")
    finally:
        program.kill()
        program.communicate()
