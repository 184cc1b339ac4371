# SPDX-License-Identifier: Apache-2.0
"""From the queue to the disk: list, write, then delete.

    list the messages ─▶ keep the newest that is valid, durably ─▶ delete what was listed

Killed between any two of these, the next look finds the same messages again, and
those that were seen before never count as new.
"""

from __future__ import annotations

import time
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from heat_config import log
from heat_config.cloud.errors import CloudError
from heat_config.collect import metadata, overtaken
from heat_config.collect.metadata import UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from heat_config.cloud.zaqar import Message
    from heat_config.collect.inbox import Inbox

# Seconds between two questions to Heat that were not answered with deployments.
ASK_HEAT_EVERY = 60.0


class Reason(Enum):
    """Why Heat itself is asked for the deployments."""

    LONG_AGO = "the queue was not looked at for long"
    OVERTAKEN = "Heat's newest message lacks a deployment that one before it has"


class Messages(Protocol):
    """What is needed of a queue."""

    def messages(self) -> Iterator[Message]:
        """All messages, the oldest first."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete messages."""


class Outage:
    """One line when trouble begins, and one when it has ended."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.lasts = False
        """Whether there is trouble."""

    def begin(self, error: Exception) -> None:
        """Say what is wrong, unless that was said."""
        if not self.lasts:
            known = isinstance(error, CloudError | OSError)
            what = error if known else f"{self._what} gives what is of no use ({error!r})"
            log.warning(f"{what}; going on with what is there, and trying again")
        self.lasts = True

    def end(self) -> None:
        """Say that all is well again, if it was not."""
        if self.lasts:
            log.info(f"{self._what} answers again")
        self.lasts = False


class Source:
    """The server's metadata: from its queue, from its disk, or from Heat itself."""

    def __init__(
        self,
        queue: Messages,
        inbox: Inbox,
        ask_heat: Callable[[dict[str, Any] | None, Reason], dict[str, Any] | None],
        lifetime: float,
    ) -> None:
        self._queue = queue
        self._inbox = inbox
        self._ask_heat = ask_heat
        self._lifetime = lifetime
        self._outage = Outage("the queue")
        self._heat_outage = Outage("Heat")
        self._ask_after = 0.0

    @property
    def is_away(self) -> bool:
        """Whether the queue could not be asked, or its answer not be used, the last time."""
        return self._outage.lasts

    def collect(self) -> dict[str, Any] | None:
        """The newest metadata; what was there is deleted from the queue. None if there is none."""
        try:
            found = self._take()
        except Exception as error:  # whatever comes from there, the disk holds
            self._outage.begin(error)
            return self._inbox.read().content
        self._outage.end()
        reason = self._reason_to_ask(found)
        if not reason or self._ask(reason):
            self._inbox.note_look()
        return self._inbox.read().content

    def look(self) -> dict[str, Any] | None:
        """The same, and nothing is changed anywhere."""
        kept = self._inbox.read()
        newest = kept.content
        try:
            for message in self._queue.messages():
                if message.id not in kept.seen:
                    with suppress(UnusableError):
                        newest = metadata.read(message.body)
        except Exception as error:
            self._outage.begin(error)
        return newest

    def _take(self) -> bool:
        """Do the three steps; say whether there was any message."""
        kept = self._inbox.read()
        newest, listed, known = kept.content, [], overtaken.begun(kept.content or {})
        for message in self._queue.messages():
            listed.append(message.id)
            if message.id in kept.seen:
                continue
            try:
                newest = metadata.read(message.body)
            except UnusableError as error:
                self._inbox.reject(message.id, message.body, str(error))
            else:
                known |= overtaken.begun(newest)
        if listed:
            is_doubtful = kept.is_doubtful or overtaken.may_be(newest or {}, known)
            self._inbox.keep(newest, listed, is_doubtful=is_doubtful)
            self._queue.delete(listed)
        return bool(listed)

    def _reason_to_ask(self, found: bool) -> Reason | None:
        """Why what is kept may not be Heat's last word, after a look; ``found``: any message."""
        kept = self._inbox.read()
        if kept.is_doubtful:
            return Reason.OVERTAKEN
        is_recent = kept.content is not None and self._inbox.looked_within(self._lifetime)
        return None if found or is_recent else Reason.LONG_AGO

    def _ask(self, reason: Reason) -> bool:
        """Ask Heat; say whether it has answered. If not, the next looks count for nothing yet.

        All that was on the queue is kept, so what Heat says is no older.
        """
        if time.monotonic() < self._ask_after:
            return False
        self._ask_after = time.monotonic() + ASK_HEAT_EVERY
        kept = self._inbox.read().content
        try:
            current = self._ask_heat(kept, reason)
            is_news = current is not None and not metadata.problem(current)
            self._inbox.keep(current if is_news else kept)
        except Exception as error:
            self._heat_outage.begin(error)
            if isinstance(error, CloudError) and error.outcome.is_refusal:
                # Whoever Heat says no to can only wait for its next message.
                self._inbox.keep(kept)
            return False
        self._heat_outage.end()
        if is_news:
            log.info(f"{reason.value}; took the deployments from Heat")
        return True
