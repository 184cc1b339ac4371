# SPDX-License-Identifier: Apache-2.0
"""What a row's module is given to measure with."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from bench import contenders
from lab import Lab

_T = TypeVar("_T")


class Given:
    """Contenders and control planes; each is made when it is first asked for."""

    def __init__(self, folder: Path, stack: ExitStack, *, is_quick: bool) -> None:
        """Make it. ``stack``: what is started is ended with that."""
        self.folder = folder
        self._stack = stack
        self._is_quick = is_quick

    def either(self, quick: _T, whole: _T) -> _T:
        """The first in a quick run, the second in a whole one."""
        return quick if self._is_quick else whole

    @cached_property
    def lab(self) -> Lab:
        """Heat alone."""
        return self._stack.enter_context(Lab(self.folder / "lab", say=lambda _: None))

    @cached_property
    def plugged(self) -> Lab:
        """Heat with the plug-in."""
        made = Lab(self.folder / "plug-in", plugin=True, say=lambda _: None)
        return self._stack.enter_context(made)

    @cached_property
    def ours(self) -> contenders.Agent:
        """Our agent, installed as into an image."""
        return contenders.ours()

    @cached_property
    def peer(self) -> contenders.Agent:
        """heat-agents' agent."""
        return contenders.peer()
