# SPDX-License-Identifier: Apache-2.0
"""What is followed, a stack's deployments or one deployment, until Heat waits for nothing more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from heatclient import exc
from keystoneauth1.exceptions import ClientException

from heat_config.cloud.errors import CloudError
from heat_operator import rows, words
from heat_operator.rows import Status
from heat_operator.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.cloud.trust import Trust
    from heat_operator.words import Queue, Word

# What to do where a deployment says nothing of its progress.
HOW = (
    "to see what they write: with Heat's plug-in, give each deployment's resource the property "
    "progress: true (or set default_progress in heat.conf), and signal_transport AUTO or "
    "ZAQAR_MESSAGE"
)
_NONE = "* posts no progress; shown is what Heat knows"
_IN_PROGRESS = "IN_PROGRESS"


class Seen(NamedTuple):
    """What Heat has at one moment."""

    deployments: list[tuple[str, Any]]
    """Each with the name that its lines get."""
    is_over: bool
    status: int
    """The command's exit status, if it is over."""


class Target(Protocol):
    """What is followed."""

    def look(self) -> Seen:
        """Ask Heat."""


class OfStack:
    """All deployments of a stack."""

    def __init__(self, heat: Any, stack: str) -> None:
        self._heat = heat
        self._stack = stack

    def look(self) -> Seen:
        """See :class:`Target`."""
        stack_status, found = rows.deployments(self._heat, self._stack)
        of_each = {each.status for _, each in found}
        if "FAILED" in of_each or stack_status.endswith("_FAILED"):
            status = Status.FAILED
        else:
            status = Status.UNFINISHED if of_each - {"COMPLETE"} else Status.WELL
        return Seen(found, not stack_status.endswith("_IN_PROGRESS"), status)


class OfOne:
    """One deployment."""

    def __init__(self, heat: Any, deployment: str) -> None:
        self._heat = heat
        self._id = deployment

    def look(self) -> Seen:
        """See :class:`Target`."""
        found = self._heat.software_deployments.get(self._id)
        return Seen([(self._id, found)], found.status != _IN_PROGRESS, _exit_status(found))


def _exit_status(deployment: Any) -> int:
    """The status code of its run; 1 of one that has failed without such."""
    outputs = getattr(deployment, "output_values", None) or {}
    try:
        code = int(outputs.get("deploy_status_code") or 0)
    except (TypeError, ValueError):
        code = 1
    failed = int(deployment.status == "FAILED")
    return code if 0 < code < 256 else failed


class Followed:
    """One deployment; ``write`` takes a line of it."""

    def __init__(self, heat: Any, trust: Trust, write: Callable[[str], object]) -> None:
        self._heat = heat
        self._trust = trust
        self._write = write
        self._config_id = ""
        self._state = ""
        self._queue: Queue | None = None
        self._story = Story()
        self._last: Word | None = None
        self._trouble = ""
        self.posts_none = False
        """Whether one of its runs says nothing."""

    @property
    def is_told(self) -> bool:
        """Whether nothing more of it is to come."""
        return self._queue is None or self._last is None or self._story.has_ended

    def look(self, deployment: Any) -> None:
        """Heat has this of it."""
        if deployment.status == _IN_PROGRESS and deployment.config_id != self._config_id:
            self._config_id = deployment.config_id
            self._open(deployment)
        self.read()
        state, why = rows.state_of(deployment)
        if (state, self._config_id) != (self._state, self._config_id):
            self._state = state
            self._write(f"* {state}: {why}" if why else f"* {state}")

    def read(self) -> None:
        """Show what its server has said since the last look."""
        if self._queue is None or self._story.has_ended:
            return
        try:
            news = self._queue.news()
        except CloudError as error:
            self._troubled(f"* its progress cannot be read: {error}")
            return
        self._troubled("")
        for word in news:
            self._last = word
            for line in self._story.told(word.said):
                self._write(line)
        if self._last:
            for line in self._story.silent(self._last.age, words.moment(self._last.age)):
                self._write(line)

    def _open(self, deployment: Any) -> None:
        self._story, self._last, self._state = Story(), None, ""
        try:
            self._queue = words.queue_of(self._heat, deployment, self._trust)
        except CloudError as error:
            self._write(f"* its progress cannot be read: {error}")
            return
        if self._queue is None:
            self._write(_NONE)
            self.posts_none = True

    def _troubled(self, trouble: str) -> None:
        """Say what is wrong once, and when it is over."""
        if trouble and not self._trouble:
            self._write(trouble)
        elif self._trouble and not trouble:
            self._write("* its progress can be read again")
        self._trouble = trouble


class Pace(NamedTuple):
    """Seconds: between two looks at the queues, at Heat, and for last words after the end."""

    queues: float = 1.0
    heat: float = 3.0
    last: float = 5.0


class Following:
    """All that is followed, from the first look to the end."""

    def __init__(
        self,
        target: Target,
        make: Callable[[str], Followed],
        warn: Callable[[str], object],
        pace: Pace,
    ) -> None:
        """Make it. ``make``: one that is followed, by its name; ``warn``: takes Heat's trouble."""
        self._target = target
        self._make = make
        self._warn = warn
        self._pace = pace
        self._followed: dict[str, Followed] = {}
        self._is_away = False
        self._has_said_how = False

    def run(self) -> int:
        """Follow it until Heat waits for nothing more; return the command's exit status.

        Raises what Heat's client does if the first look fails.
        """
        seen = self._look()
        while not seen.is_over:
            self._read_for(self._pace.heat)
            seen = self._again(seen)
        self._read_for(self._pace.last, until_told=True)
        return seen.status

    def _look(self) -> Seen:
        seen = self._target.look()
        for name, deployment in seen.deployments:
            if deployment.id not in self._followed:
                self._followed[deployment.id] = self._make(name)
            self._followed[deployment.id].look(deployment)
        if not self._has_said_how and any(each.posts_none for each in self._followed.values()):
            self._has_said_how = True
            self._warn(HOW)
        return seen

    def _again(self, before: Seen) -> Seen:
        """Look again; while Heat is away it is as it was before."""
        try:
            seen = self._look()
        except exc.HTTPNotFound:
            self._warn("Heat has it no more")
            return Seen([], True, Status.WELL)
        except (exc.BaseException, ClientException) as error:
            if not self._is_away:
                self._warn(f"Heat cannot be asked, it is tried again: {error}")
            self._is_away = True
            return before
        if self._is_away:
            self._warn("Heat answers again")
        self._is_away = False
        return seen

    def _read_for(self, seconds: float, *, until_told: bool = False) -> None:
        """Read the queues for some time, at least once."""
        ends = time.monotonic() + seconds
        while True:
            for each in self._followed.values():
                each.read()
            is_told = until_told and all(each.is_told for each in self._followed.values())
            left = ends - time.monotonic()
            if is_told or left <= 0:
                return
            time.sleep(min(self._pace.queues, left))
