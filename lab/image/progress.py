# SPDX-License-Identifier: Apache-2.0
"""How a build says to the person at the keyboard how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str], None]


def timed(progress: Progress) -> Progress:
    """Return one that puts the seconds since now before each text."""
    started = time.monotonic()

    def report(text: str) -> None:
        progress(f"{time.monotonic() - started:6.1f} s  {text}")

    return report
