# SPDX-License-Identifier: Apache-2.0
"""A time limit that is over when the program has said a line, so on a busy machine not before."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from heat_config import process
from heat_config.process import Completed, Scope

# Seconds; a program that says nothing is ended after them, too.
LIMIT = 60.0


class Overdue:
    """In the place of the module ``time`` of :mod:`heat_config.process`.

    ``has_begun``: whether the program has done what it is to do; it is looked at with each line.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, has_begun: Callable[[], bool] = lambda: False
    ) -> None:
        self._has_begun = has_begun
        monkeypatch.setattr(process, "time", self)

    def monotonic(self) -> float:
        return time.monotonic() + (LIMIT if self._has_begun() else 0)

    def at(self, _line: str) -> None:
        """For ``on_stdout`` or ``on_stderr``: from this line on the limit is over."""
        self._has_begun = lambda: True


def run_overdue(
    text: str, monkeypatch: pytest.MonkeyPatch, scope: Scope | None = None
) -> Completed:
    """Run a shell's script, whose first line to stdout is its last within the time limit."""
    with monkeypatch.context() as patch:
        on_stdout = Overdue(patch).at
        return process.run(
            ["/bin/sh", "-c", text], scope=scope, time_limit=LIMIT, on_stdout=on_stdout
        )
