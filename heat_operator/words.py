# SPDX-License-Identifier: Apache-2.0
"""What servers say of their deployments: the queues of progress, read with what Heat has of them.

Of each deployment Heat shows its owner the inputs that the server was given. The address of the
queue is among them, and nowhere else: no attribute and no output of a stack has it.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from heatclient import exc

from heat_config.cloud import limits, signed, zaqar
from heat_config.cloud.errors import CloudError
from heat_config.cloud.trust import Trust
from heat_config.progress import message
from heat_config.progress.message import Phase
from heat_operator.rows import Said

if TYPE_CHECKING:
    from heat_config.progress.message import Progress

# Seconds for one look at a queue.
WITHIN = 10.0
_CLIENT_ID = str(uuid.uuid4())


class Word(NamedTuple):
    """A message, and when it came, by the monotonic clock of whoever reads it."""

    said: Progress
    at: float

    @property
    def age(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.at


class Queue:
    """The progress of one config."""

    def __init__(self, address: str, config_id: str, trust: Trust) -> None:
        """Make it.

        :raises CloudError: the address cannot be used.
        """
        parsed = signed.parse(address)
        self._queue = zaqar.Queue(zaqar.AsSigned(parsed, trust), parsed.queue, _CLIENT_ID)
        self._config_id = config_id
        self._marker = ""
        self._read: set[tuple[str, int]] = set()

    def news(self) -> list[Word]:
        """What has come since the last look, each message once.

        :raises CloudError: the queue cannot be read.
        """
        with limits.within(WITHIN):
            found, self._marker = self._queue.after(self._marker)
        now = time.monotonic()
        words = [Word(said, now - each.age) for each in found if (said := message.read(each.body))]
        return [word for word in words if self._is_new(word.said)]

    def _is_new(self, said: Progress) -> bool:
        """Whether it was not read before; one that was posted twice is there twice."""
        key = said.run, said.number
        if said.config_id != self._config_id or key in self._read:
            return False
        self._read.add(key)
        return True


class Words:
    """The newest word on each deployment, for one who looks now and then."""

    def __init__(self, heat: Any, trust: Trust) -> None:
        self._heat = heat
        self._trust = trust
        self._queues: dict[str, Queue | None] = {}
        self._newest: dict[str, Word] = {}

    def of(self, deployment: Any) -> Said | None:
        """What its server says; None where it says nothing, or cannot be understood."""
        config_id = deployment.config_id
        with suppress(CloudError):
            if config_id not in self._queues:
                self._queues[config_id] = queue_of(self._heat, deployment, self._trust)
            queue = self._queues[config_id]
            for word in queue.news() if queue else ():
                self._newest[config_id] = word
        newest = self._newest.get(config_id)
        return newest and _said(newest)


def _said(word: Word) -> Said:
    heard = moment(word.age)
    if word.said.phase is Phase.ENDED:
        return Said("answered", heard)
    if word.said.phase is Phase.RECEIVED:
        return Said("received", heard)
    if word.age > message.SILENT_AFTER:
        return Said(f"nothing heard since {heard}", heard)
    return Said(f"running since {moment(word.age + word.said.seconds)}", heard)


def moment(ago: float) -> str:
    """When that was, so many seconds ago, as Heat writes times."""
    then = datetime.now(timezone.utc) - timedelta(seconds=ago)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def trust_of(manager: Any) -> Trust:
    """Whose certificates the user of ``openstack`` trusts."""
    verify = manager.session.verify
    return Trust(verify if isinstance(verify, str) else None, insecure=verify is False)


def queue_of(heat: Any, deployment: Any, trust: Trust) -> Queue | None:
    """The progress of what Heat has a deployment do now; None where there is none.

    :raises CloudError: its address cannot be used.
    """
    try:
        inputs = heat.software_configs.get(deployment.config_id).inputs
    except (exc.HTTPNotFound, exc.HTTPForbidden):  # just replaced; not for this user
        return None
    values = {each.get("name"): each.get("value") for each in inputs}
    address = values.get(signed.PROGRESS)
    if not signed.is_signed(address):
        return None
    return Queue(str(address), deployment.config_id, trust)
