# SPDX-License-Identifier: Apache-2.0
"""The agent's side of progress: a thread that posts what is due, and that nobody waits for.

It is a daemon's thread: when the agent ends, what was not posted is lost. Without a deployment
that asks for progress there is neither thread nor import.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING

from heat_config import log
from heat_config.cloud.errors import CloudError
from heat_config.cloud.signed import PROGRESS, is_signed
from heat_config.progress.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from heat_config.deployment import Deployment
    from heat_config.progress.posting import Posting
    from heat_config.settings import Settings

# Seconds that the agent lets the last messages go before it ends, while Zaqar takes them.
LINGER = 2.0
# Seconds without a try after one that failed: at first, and at most.
PAUSE = 2.0
LONGEST_PAUSE = 30.0


class Sender:
    """All that one run of the agent says of the deployments that ask for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._changed = Condition()
        self._channels: dict[str, Channel] = {}
        self._thread: Thread | None = None
        self._again = float("-inf")
        """When the next try may be, after one that failed."""
        self._pause = 0.0
        self._began: float | None = None
        """When the request began that goes on."""
        self._is_closed = False

    def is_wanted(self, deployment: Deployment) -> bool:
        """Whether somebody may watch this one."""
        return is_signed(deployment.values.get(PROGRESS))

    def received(self, deployment: Deployment) -> None:
        """It is here, and waits for its turn."""
        self._channel(deployment)

    @contextmanager
    def running(
        self, deployment: Deployment, time_limit: float | None
    ) -> Iterator[Callable[[str], None] | None]:
        """Its hook runs within this; gives what takes the hook's lines, if anybody wants them."""
        channel = self._channel(deployment)
        self._start()  # and none before the first hook: its import takes time
        if channel is None:
            yield None
            return
        channel.begun(deployment.group, time_limit)
        try:
            yield channel.take
        finally:
            channel.pause()

    def ended(self, deployment: Deployment, status_code: object, signal: str) -> None:
        """Its result was kept, and sent if it could be."""
        if channel := self._channel(deployment):
            channel.ended(str(status_code), signal)
            self._start()

    def close(self) -> None:
        """Let what is left be posted, for a moment and if Zaqar takes it; then abandon it."""
        ends = time.monotonic() + LINGER
        with self._changed:
            while self._is_worth_waiting() and (left := ends - time.monotonic()) > 0:
                self._changed.wait(left)
            self._is_closed = True
            self._changed.notify_all()

    def _channel(self, deployment: Deployment) -> Channel | None:
        if not self.is_wanted(deployment):
            return None
        address = str(deployment.values[PROGRESS])
        with self._changed:
            found = self._channels.get(deployment.id)
            if found is None:
                found = Channel(deployment.id, address, log.masked, self._changed)
                self._channels[deployment.id] = found
                self._changed.notify_all()
        return found

    def _start(self) -> None:
        if self._thread is None and self._channels:
            self._thread = Thread(target=self._work, name="progress", daemon=True)
            with suppress(RuntimeError):  # no more threads here
                self._thread.start()

    def _is_worth_waiting(self) -> bool:
        if self._pause or self._thread is None or not self._thread.is_alive():
            return False
        if self._began is not None and time.monotonic() - self._began > LINGER:
            return False
        return any(each.is_ending for each in self._channels.values())

    def _work(self) -> None:
        with suppress(Exception):  # whatever it is, no run is worse for it
            from heat_config.progress import posting

            made = posting.Posting(self._settings)
            while channel := self._next():
                self._post(made, channel)
        with self._changed:
            self._changed.notify_all()

    def _next(self) -> Channel | None:
        """Wait for the channel with something to post; None when there is none any more."""
        with self._changed:
            while not self._is_closed:
                due, channel = self._first()
                left = max(due, self._again) - time.monotonic()
                if channel and left <= 0:
                    self._began = time.monotonic()
                    return channel
                self._changed.wait(None if left == float("inf") else left)
        return None

    def _first(self) -> tuple[float, Channel | None]:
        """The channel that is due first, and when; what ends comes before what only goes on."""
        waiting = [(each.due(), each) for each in self._channels.values()]
        return min(waiting, key=lambda one: one[0], default=(float("inf"), None))

    def _post(self, made: Posting, channel: Channel) -> None:
        try:
            made.post(channel.address, channel.post())
        except CloudError as error:
            self._failed(channel, is_transient=error.outcome.is_transient)
        except Exception:  # an address, or an answer, that nobody has thought of
            self._failed(channel, is_transient=False)
        else:
            with self._changed:
                channel.accepted()
                self._went(pause=0.0)

    def _failed(self, channel: Channel, *, is_transient: bool) -> None:
        with self._changed:
            if not is_transient:
                channel.close()
                self._went(pause=0.0)
            else:
                self._went(pause=min(max(2 * self._pause, PAUSE), LONGEST_PAUSE))

    def _went(self, *, pause: float) -> None:
        self._began, self._pause = None, pause
        self._again = time.monotonic() + pause
        self._changed.notify_all()
