# SPDX-License-Identifier: Apache-2.0
"""What ends a wait: the time, a signal, or a message that Zaqar announces."""

from __future__ import annotations

import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from heat_config import log
from heat_config.cloud.errors import CloudError
from heat_config.collect import systemd
from heat_config.collect.pace import jittered

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.collect.push import Push

    HasEnded = Callable[[], bool]

# Seconds between two tries to connect. Meanwhile the queue is polled.
CONNECT_EVERY = 30.0
# Seconds after which the watchdog wants to be fed, at the latest.
FEED_EVERY = 20.0


class Wakeup:
    """Waits. ``connect`` makes the websocket; None where none is wanted."""

    def __init__(self, connect: Callable[[], Push] | None) -> None:
        self._connect = connect
        self._push: Push | None = None
        self._connect_at = 0.0
        self._said = False
        self.hung_up = False
        """Whether SIGHUP has come."""
        self._signals, self._writer = socket.socketpair()
        self._signals.setblocking(False)
        self._writer.setblocking(False)

    def catch_signals(self) -> None:
        """From now on SIGHUP is noted, and ends a wait. One that came before is delivered now."""
        self.catch_children()
        signal.signal(signal.SIGHUP, self._hang_up)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def catch_children(self) -> None:
        """From now on a wait ends for a program that has ended."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    @property
    def is_pushed(self) -> bool:
        """Whether Zaqar announces new messages."""
        return self._push is not None

    def connect(self) -> bool:
        """Make the websocket when it is time; say whether there is a new one.

        One that ends with its token is replaced.
        """
        if self._push and self._push.ended():
            self._drop()
            self._connect_at = 0.0
        if not self._connect or self._push or time.monotonic() < self._connect_at:
            return False
        self._connect_at = time.monotonic() + jittered(CONNECT_EVERY)
        try:
            self._push = self._connect()
        except Exception as error:  # whatever is wrong with it, the queue can be polled
            self._fall_back(error)
            return False
        if self._said:
            log.info("the websocket is back")
        self._said = False
        return True

    def wait(self, until: float, has_ended: HasEnded | None = None) -> bool:
        """Wait until a moment of the monotonic clock; True when Zaqar announces a message.

        SIGHUP ends it, or, where a program is waited for, that one's end alone.
        """
        while not (has_ended() if has_ended else self.hung_up):
            systemd.alive()
            left = self._next(until) - time.monotonic()
            sources: list[Any] = [self._signals, *([self._push] if self._push else [])]
            ready = select.select(sources, [], [], min(max(left, 0), FEED_EVERY))[0]
            if self._signals in ready:
                self._signals.recv(64)
            if self._push and self._read():
                return True
            if time.monotonic() >= until or self._must_connect():
                return False
        return False

    def _must_connect(self) -> bool:
        if not self._connect:
            return False
        if self._push:
            return self._push.ended()
        return time.monotonic() >= self._connect_at

    def _next(self, until: float) -> float:
        if self._push:
            return min(until, self._push.due())
        return min(until, self._connect_at) if self._connect else until

    def _read(self) -> bool:
        assert self._push  # noqa: S101 - the caller has looked
        try:
            return self._push.read()
        except CloudError as error:
            self._drop()
            # At once, the first time: the other side may only have been restarted.
            self._connect_at = time.monotonic() + jittered(1)
            self._fall_back(error)
            return True

    def _fall_back(self, error: Exception) -> None:
        if not self._said:
            what = error if isinstance(error, CloudError) else f"no websocket ({error!r})"
            log.warning(f"{what}; polling the queue until there is a websocket")
        self._said = True

    def _drop(self) -> None:
        if self._push:
            self._push.close()
        self._push = None

    def _hang_up(self, *_: object) -> None:
        self.hung_up = True
