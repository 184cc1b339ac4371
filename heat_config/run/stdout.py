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

    def __init__(self, on_lines: Callable[[str], None]) -> None:
        self._on_lines = on_lines
        self._is_raw: bool | None = None

    def take(self, lines: str) -> None:
        """Take lines."""
        if self._is_raw is None:
            lines = lines.lstrip("\n")
            self._is_raw = not lines.lstrip().startswith("{") if lines.strip() else None
        if self._is_raw:
            self._on_lines(lines)

    def finish(self, completed: Completed) -> None:
        """Hand on what began like an answer and was none."""
        if self._is_raw is False and result.answer_of(completed.stdout) is None:
            text = result.text_of(completed.stdout, completed.stdout_dropped)
            self._on_lines("\n".join(text.splitlines()))
