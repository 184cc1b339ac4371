# SPDX-License-Identifier: Apache-2.0
"""One action of a deployment or a server, from beginning to end, in the engine's memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from oslo_log import log

from heat_plugin import pacing, trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.cloud.errors import CloudError

LOG = log.getLogger(__name__)

# Once Heat has a result, the stack goes on; so long it waits, in seconds, for the
# acknowledgement to be on the queue. Without it the server goes on asking until its address ends.
ACKNOWLEDGING = 30.0
# So long a deletion tries to delete its queues, in seconds.
DELETING = 30.0


class Work:
    """How far an action has come.

    ``begin`` is Heat's own handler: it returns the deployment whose result is waited for,
    if there is one. It is called until it succeeds.
    """

    def __init__(self, name: str, begin: Callable[[], Any]) -> None:
        self.name = name
        self._begin = begin
        self._troubled_since: float | None = None
        self.has_begun = False
        self.deployment: dict[str, Any] | None = None
        """As the engine gave it when the action began; None when there is no result to wait for."""
        self.began = time.monotonic()
        self.ended: float | None = None
        """When Heat was first seen to wait no longer."""
        self._posted = self._asked = self.began
        self._reposts = 0

    def begin(self) -> None:
        """Let Heat begin the action."""
        begun = self._begin()
        self.has_begun = True
        self.began = self._posted = self._asked = time.monotonic()
        if isinstance(begun, dict):
            self.deployment = begun
            _waiting.add(self)

    def pause(self) -> float:
        """Seconds until the next look."""
        return pacing.pause(time.monotonic() - self.began, len(_waiting))

    def is_asking_due(self) -> bool:
        """Whether to ask Heat for the deployment, and not the queue alone."""
        if self.ended is not None:  # what is left to do does not come over the queue
            return True
        now = time.monotonic()
        return pacing.is_asking_due(now - self._asked, now - self.began)

    def asked(self) -> None:
        """Heat has been asked."""
        self._asked = time.monotonic()

    def is_post_due(self, first: float, *, failed: bool) -> bool:
        """Whether the server's metadata should be posted again; ``first``: seconds, see pacing."""
        since = time.monotonic() - self._posted
        return pacing.is_post_due(since, first, self._reposts, failed=failed)

    def posted(self, *, failed: bool) -> None:
        """The metadata were posted again, or that failed again."""
        self._posted = time.monotonic()
        self._reposts += not failed

    def went_well(self) -> None:
        """Keystone and Zaqar have served all that was asked."""
        self._troubled_since = None

    def waits_out(self, error: CloudError) -> bool:
        """Note that a request was not served; return whether it should be made again."""
        if self._troubled_since is None:
            LOG.warning("%s waits: %s", self.name, error)
            self._troubled_since = time.monotonic()
        return trouble.is_waited_out(error.outcome, self.troubled_for)

    @property
    def troubled_for(self) -> float:
        """Seconds for which a request has not been served; 0 when all is well."""
        return time.monotonic() - self._troubled_since if self._troubled_since is not None else 0.0

    @property
    def leaves_queues(self) -> bool:
        """Whether a deletion has tried for long enough: it never hangs on a queue."""
        return self.troubled_for > DELETING

    def see_end(self) -> None:
        """Heat waits no longer."""
        if self.ended is None:
            self.ended = time.monotonic()

    @property
    def may_leave(self) -> bool:
        """Whether Heat has waited long enough for the acknowledgement to be posted."""
        return self.ended is not None and time.monotonic() - self.ended > ACKNOWLEDGING


# Those that wait for a result in this engine: an action that was cancelled leaves by itself.
_waiting: WeakSet[Work] = WeakSet()
