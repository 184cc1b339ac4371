# SPDX-License-Identifier: Apache-2.0
"""What is still to be said of one run, in bounded memory, and when."""

from __future__ import annotations

import secrets
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config.progress import message
from heat_config.progress.message import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Condition

# Characters of lines that wait to be posted; the oldest give way.
HELD = 262_144
# What each piece of them takes besides its characters.
_EACH = 64
# Seconds that a message lives; and one in so many, which is how long it is known after that when
# the last word came.
PASSING = 600
LASTING = 86_400
LASTING_EVERY = 300.0


class Post(NamedTuple):
    """A message, and how long it lives, in seconds."""

    body: dict[str, Any]
    ttl: int


class Channel:
    """One run's way to those who watch.

    It is filled by the run and emptied by the thread that posts; both hold ``changed`` meanwhile,
    and who waits for something to post waits for that.
    """

    def __init__(
        self, config_id: str, address: str, mask: Callable[[str], str], changed: Condition
    ) -> None:
        self.address = address
        self._mask = mask
        self._changed = changed
        self._said = Progress(config_id, secrets.token_hex(8), 0, Phase.RECEIVED, 0.0)
        self._since = time.monotonic()
        self._lines: deque[str] = deque()
        """As they came: one line or several."""
        self._size = self._left_out = 0
        self._is_new = True
        self._is_paused = False
        self._unaccepted: Post | None = None
        self._posted = self._lasting = float("-inf")
        self.is_closed = False
        """Whether there is nothing more to post, ever."""

    def begun(self, hook: str, time_limit: float | None) -> None:
        """The hook is about to be started."""
        with self._changed:
            self._since = time.monotonic()
            self._say(phase=Phase.RUNNING, hook=self._mask(hook), time_limit=time_limit)

    def take(self, lines: str) -> None:
        """A line, or several, that the hook has written."""
        with self._changed:
            if self.is_closed:
                return
            self._lines.append(lines)
            self._size += len(lines) + _EACH
            while self._size > HELD:
                self._left_out += _count(self._popped())
            if len(self._lines) == 1:
                self._changed.notify_all()

    def pause(self) -> None:
        """The hook has ended: nothing is posted until its result was sent."""
        with self._changed:
            self._said = self._said._replace(seconds=self._seconds())
            self._is_paused = True

    def ended(self, status_code: str, signal: str) -> None:
        """The result is on its way; this is the last that is said."""
        with self._changed:
            self._is_paused = False
            self._say(phase=Phase.ENDED, status_code=self._mask(status_code), signal=signal)

    def close(self) -> None:
        """Nobody takes it."""
        with self._changed:
            self.is_closed = True
            self._lines.clear()

    @property
    def is_ending(self) -> bool:
        """Whether its last message waits to be posted."""
        return self._said.phase is Phase.ENDED and not self.is_closed

    def due(self) -> float:
        """When the next message is due, by the monotonic clock."""
        if self.is_closed or self._is_paused:
            return float("inf")
        if self._unaccepted or self.is_ending:
            return float("-inf")
        if self._is_new or self._lines:
            return self._posted + message.EVERY
        is_running = self._said.phase is Phase.RUNNING
        return self._posted + message.ALIVE_EVERY if is_running else float("inf")

    def post(self) -> Post:
        """The next message; the same again until it was accepted. The run need not wait for it."""
        if self._unaccepted is None:
            with self._changed:
                said, lines = self._grabbed()
                ttl = self._ttl()
                self._is_new = False
            shown = [message.cut(self._mask(line)) for line in lines]
            self._unaccepted = Post(message.body(self._fitted(said, lines, shown)), ttl)
        return self._unaccepted

    def accepted(self) -> None:
        """It was."""
        posted, self._unaccepted = self._unaccepted, None
        self._posted = time.monotonic()
        self.is_closed = posted is not None and posted.body["phase"] == Phase.ENDED.value

    def _say(self, **more: Any) -> None:
        self._said = self._said._replace(**more)
        self._is_new = True
        self._changed.notify_all()

    def _seconds(self) -> float:
        return round(time.monotonic() - self._since, 3)

    def _grabbed(self) -> tuple[Progress, list[str]]:
        """What the next message says, and as many lines as may fit.

        The oldest; of the last message, which no other comes after, the newest.
        """
        said = self._said
        self._said = said._replace(number=said.number + 1)
        is_last = said.phase is Phase.ENDED
        room, lines = message.LARGEST, list[str]()
        while self._lines and room > 0:
            taken = self._popped(newest=is_last)
            room -= len(taken)
            lines += reversed(taken.split("\n")) if is_last else taken.split("\n")
        return said if is_last else said._replace(seconds=self._seconds()), lines

    def _fitted(self, said: Progress, lines: list[str], shown: list[str]) -> Progress:
        """The message with what fits of its lines; the others wait, or are left out."""
        fit = message.fitting(shown, message.room(said._replace(left_out=message.MOST)))
        with self._changed:
            if rest := lines[len(fit) :]:
                self._lines.appendleft("\n".join(rest))
                self._size += len(self._lines[0]) + _EACH
            left_out, self._left_out = self._left_out, 0
            if said.phase is Phase.ENDED:
                left_out += sum(map(_count, self._lines))
                self._lines.clear()
                fit.reverse()
        return said._replace(left_out=left_out, lines=tuple(fit))

    def _popped(self, *, newest: bool = False) -> str:
        lines = self._lines.pop() if newest else self._lines.popleft()
        self._size -= len(lines) + _EACH
        return lines

    def _ttl(self) -> int:
        now = time.monotonic()
        if not self._is_new and now - self._lasting < LASTING_EVERY:
            return PASSING
        self._lasting = now
        return LASTING


def _count(lines: str) -> int:
    return lines.count("\n") + 1
