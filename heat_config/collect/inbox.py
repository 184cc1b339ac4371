# SPDX-License-Identifier: Apache-2.0
"""The newest metadata on this server's disk, and which messages it has replaced.

The metadata and the ids of the messages that were seen until then are one file,
which is replaced as a whole. So a message that is still on the queue when its
deletion has failed, or when this process was killed before, is known again.

The file names the queue: a server that was made from an image of another one does
not take the other's metadata for its own.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import files, log, readable
from heat_config.collect import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# How many messages that were no metadata are kept, to be looked at.
MOST_REJECTED = 20
# How many messages are known again that were seen, and deleted, before the last look.
REMEMBERED = 500
# Seconds: how often it is noted that the queue was looked at.
NOTE_EVERY = 300


class Kept(NamedTuple):
    """What is on disk."""

    content: dict[str, Any] | None
    """The newest metadata; None before the first."""
    seen: tuple[str, ...]
    """The messages that it comes from, or has replaced, the last ones last."""
    is_doubtful: bool = False
    """Whether a message before was newer, perhaps: see :mod:`heat_config.collect.overtaken`."""


NOTHING = Kept(None, ())


class Inbox:
    """A folder with the newest metadata, and one with what could not be used."""

    def __init__(self, folder: Path, queue: str) -> None:
        self._queue = queue
        self._file = folder / "newest.json"
        self._rejected = folder / "rejected"
        self._kept = NOTHING
        self._version: tuple[int, int] | None = None

    def read(self) -> Kept:
        """What is on disk; a file that is damaged counts as none."""
        # Another process may have replaced it.
        version = self._on_disk()
        if version != self._version:
            self._kept, self._version = self._load(), version
        return self._kept

    def keep(
        self,
        content: dict[str, Any] | None,
        listed: Sequence[str] = (),
        *,
        is_doubtful: bool = False,
    ) -> None:
        """Replace what is on disk, durably, unless it is the same.

        ``listed``: the messages that were on the queue.

        :raises OSError: the disk is full, …
        """
        kept = Kept(content, self._seen_with(listed), is_doubtful)
        if kept == self.read():
            return
        files.make_private_folder(self._file.parent)
        written = {"queue": self._queue, **kept._asdict()}
        files.write_durably(self._file, json.dumps(written) + "\n")
        self._kept, self._version = kept, self._on_disk()

    def _seen_with(self, listed: Sequence[str]) -> tuple[str, ...]:
        """All that must be known again: whatever is on the queue, and some of what was."""
        now = set(listed)
        before = [each for each in self.read().seen if each not in now]
        return (*before[-REMEMBERED:], *listed)

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
        if self._version and not self.looked_within(NOTE_EVERY):
            self._file.touch()
            self._version = self._on_disk()

    def looked_within(self, seconds: float) -> bool:
        """Whether the queue was looked at so recently, by this machine's clock."""
        try:
            return 0 <= time.time() - self._file.stat().st_mtime <= seconds
        except OSError:
            return False

    def _on_disk(self) -> tuple[int, int] | None:
        """What is another once the file was replaced; None where there is none."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _load(self) -> Kept:
        try:
            found = readable.own(self._file.read_text(encoding="utf-8"))
            # A release before did not write of doubts.
            seen, doubt = tuple(map(str, found["seen"])), bool(found.get("is_doubtful"))
            queue, kept = found["queue"], Kept(found["content"], seen, doubt)
        except FileNotFoundError:
            return NOTHING
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning(f"{self._file} cannot be read ({error!r}); it will be written anew")
            return NOTHING
        # Metadata may itself have sent the server to another queue, and then holds until
        # something comes there.
        if self._queue not in (queue, metadata.queue_id(kept.content)):
            log.info(f"left out the metadata of {self._file}: it is of another queue")
            return NOTHING
        return kept
