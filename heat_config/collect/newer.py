# SPDX-License-Identifier: Apache-2.0
"""Notes what has come while the command runs, for ``heat-config status``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from heat_config import settings, waiting
from heat_config.settings import SettingsError

if TYPE_CHECKING:
    from heat_config.collect.cache import Sources


class Newer:
    """What differs from the sources that are being applied; to begin with, nothing does."""

    def __init__(self, applied: Sources) -> None:
        self._applied = applied
        self._noted: list[str] = []
        clear()

    def look(self, given: Sources) -> None:
        """Note which collectors have given something else by now."""
        names = {*given, *self._applied}
        differ = sorted(name for name in names if given.get(name) != self._applied.get(name))
        if differ != self._noted:
            with suppress(OSError, SettingsError):  # it is for people to see, no more
                waiting.note(settings.load(), differ)
            self._noted = differ
        if not differ:
            clear()


def clear() -> None:
    """Nothing waits any more."""
    with suppress(OSError, SettingsError):
        waiting.clear(settings.load())
