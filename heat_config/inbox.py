# SPDX-License-Identifier: Apache-2.0
"""The newest metadata on this server's disk, and which messages it has replaced.

The metadata and the ids of all messages that were seen until then are one file,
which is replaced as a whole. So a message that is still on the queue when its
deletion has failed, or when this process was killed before, is known again.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import files, log

if TYPE_CHECKING:
    from pathlib import Path

# How many messages that were no metadata are kept, to be looked at.
MOST_REJECTED = 20
# Seconds: how often it is noted that the queue was looked at.
NOTE_EVERY = 300


class Kept(NamedTuple):
    """What is on disk."""

    content: dict[str, Any] | None
    """The newest metadata; None before the first."""
    seen: frozenset[str]
    """The messages that it comes from, or has replaced, and that may still be on the queue."""


class Inbox:
    """A folder with the newest metadata, and one with what could not be used."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "newest.json"
        self._rejected = folder / "rejected"
        self._kept: Kept | None = None

    def read(self) -> Kept:
        """What is on disk; a file that is damaged counts as none."""
        if self._kept is None:
            self._kept = self._load()
        return self._kept

    def keep(self, content: dict[str, Any] | None, seen: frozenset[str]) -> None:
        """Replace what is on disk, durably, unless it is the same.

        :raises OSError: the disk is full, …
        """
        kept = Kept(content, seen)
        if kept == self.read():
            return
        files.make_private_folder(self._file.parent)
        files.write_durably(
            self._file, json.dumps({"content": content, "seen": sorted(seen)}) + "\n"
        )
        self._kept = kept

    def reject(self, message_id: str, body: object, reason: str) -> None:
        """Set a message aside that is no metadata.

        :raises OSError: the disk is full, …
        """
        files.make_private_folder(self._rejected)
        name = "".join(each for each in message_id if each.isalnum() or each == "-")[:64]
        path = self._rejected / f"{name}.json"
        files.write_durably(path, json.dumps(body) + "\n")
        log.warning(f"message {name} is no metadata of a server: {reason}; it is now {path}")
        kept = sorted(self._rejected.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-MOST_REJECTED]:
            old.unlink(missing_ok=True)

    def note_look(self) -> None:
        """Note that the queue has just been looked at; not at every look."""
        if self._file.exists() and not self.looked_within(NOTE_EVERY):
            self._file.touch()

    def looked_within(self, seconds: float) -> bool:
        """Whether the queue was looked at so recently, by this machine's clock."""
        try:
            return 0 <= time.time() - self._file.stat().st_mtime <= seconds
        except OSError:
            return False

    def _load(self) -> Kept:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            content, seen = found["content"], found["seen"]
        except FileNotFoundError:
            return Kept(None, frozenset())
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning(f"{self._file} cannot be read ({error!r}); it will be written anew")
            return Kept(None, frozenset())
        return Kept(content, frozenset(map(str, seen)))
