# SPDX-License-Identifier: Apache-2.0
"""Notes what has come while the command runs, for ``heat-config status``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from heat_config import settings, waiting
from heat_config.collect.cache import differing
from heat_config.origin import HEATS
from heat_config.settings import SettingsError

if TYPE_CHECKING:
    from heat_config.collect.cache import Sources

    Items = dict[str, tuple[str, str]]


class Newer:
    """What differs from the sources that are being applied; to begin with, nothing does."""

    def __init__(self, applied: Sources) -> None:
        self._applied = applied
        self._noted: tuple[list[str], Items | None] = ([], None)
        clear()

    def look(self, given: Sources) -> None:
        """Note which collectors have given something else by now."""
        differ = differing(given, self._applied)
        asked = _asked(given) if self._is_heats_word(given, differ) else None
        if (differ, asked) != self._noted:
            with suppress(OSError, SettingsError):  # nothing of the work depends on it
                waiting.note(settings.load(), differ, asked)
            self._noted = differ, asked
        if not differ:
            clear()

    def _is_heats_word(self, given: Sources, differ: list[str]) -> bool:
        """Whether one of Heat's sources has said something newer, and none is missing."""
        were = {name for name in self._applied if name in HEATS}
        return bool({*differ} & {*HEATS}) and were <= {*given}


def _asked(given: Sources) -> Items:
    """Name and group of all deployments by their ids, whatever source they are from."""
    metadata = [each.contents[0][1] for each in given.values() if each.contents]
    lists = [each.get("deployments") for each in metadata if isinstance(each, dict)]
    items = [item for each in lists if isinstance(each, list) for item in each]
    return {
        item["id"]: (_text(item, "name") or item["id"], _text(item, "group"))
        for item in items
        if isinstance(item, dict) and isinstance(item.get("id"), str)
    }


def _text(item: dict[str, Any], key: str) -> str:
    found = item.get(key)
    return found if isinstance(found, str) else ""


def clear() -> None:
    """Nothing waits any more."""
    with suppress(OSError, SettingsError):
        waiting.clear(settings.load())
