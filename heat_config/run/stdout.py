# SPDX-License-Identifier: Apache-2.0
"""What a hook writes to stdout: its answer, or, where it knows no answer, lines for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat_config import result

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.process import Completed


class Stdout:
    """Hands the lines of a raw hook on as they come; an answer begins as a JSON object does."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._is_raw: bool | None = None

    def take(self, line: str) -> None:
        """Take a line."""
        if self._is_raw is None and line.strip():
            self._is_raw = not line.lstrip().startswith("{")
        if self._is_raw:
            self._on_line(line)

    def finish(self, completed: Completed) -> None:
        """Hand on what began like an answer and was none."""
        if self._is_raw is False and result.answer_of(completed.stdout) is None:
            text = result.text_of(completed.stdout, completed.stdout_dropped)
            for line in text.splitlines():
                self._on_line(line)
