# SPDX-License-Identifier: Apache-2.0
"""A queue of the lab's user, for which addresses are signed as Heat's plug-in does."""

from __future__ import annotations

import uuid

from heat_config.cloud import signed, zaqar
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_plugin.queues import Queue
from lab import Lab
from lab.stack import wait_for
from tests.support import answering
from tests.support.user import DemoUser


class Signing:
    """One queue; without a name, with a new one."""

    def __init__(self, lab: Lab, name: str = "") -> None:
        user = User(Credentials.from_inputs(DemoUser(lab).values), Trust())
        self.name = name or f"signing-{uuid.uuid4().hex}"
        self.queue = Queue(zaqar.AsUser(user), self.name)
        self._endpoint = lab.endpoints["messaging"]

    def address(self, *methods: str, seconds: int = 3600) -> signed.Address:
        """An address that opens the queue for so long."""
        return self.queue.address(self._endpoint, methods, seconds)

    def ended(self, *methods: str) -> signed.Address:
        """An address whose time has passed."""
        # Zaqar does not sign for a time that has passed: on a busy machine a second does.
        address = self.address(*methods, seconds=5)
        wait_until_ended(address)
        return address


def wait_until_ended(address: signed.Address) -> None:
    """Wait until Zaqar does not take an address any more."""
    wait_for("the end of an address", lambda: answering.ask(address, "GET").status == 404)
