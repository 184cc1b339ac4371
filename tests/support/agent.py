# SPDX-License-Identifier: Apache-2.0
"""A server with this project's agent and collector, which looks for Heat's word in seconds."""

from __future__ import annotations

import json
from typing import Any

from lab.stack import Stack, wait_for
from tests.support.server import HostServer


class Agent:
    """A server with the real agent and collector; an acknowledgement is looked for in seconds."""

    def __init__(self, server: HostServer, *, first_wait: float = 0.02) -> None:
        self.server = server
        self._said = ""
        self._waits(first_wait)

    def hurry(self) -> None:
        """From now on the long waits between tries are short, too."""
        self._waits(0.001)

    def _waits(self, seconds: float) -> None:
        path = self.server.root / "etc/heat-config.conf"
        path.write_text(f"HEAT_CONFIG_FIRST_WAIT={seconds}\n")

    def turn(self) -> None:
        """What its two services do: look for metadata, and deliver what is due."""
        self.server.poll()
        self.deliver()

    def deliver(self) -> None:
        """What the timer does."""
        done = self.server.run(self.server.root / "bin/heat-config", "deliver", "--due")
        self._said += done.stderr

    def wait(self, stack: Stack, action: str) -> str:
        """Work until an action has ended; return how."""
        return stack.wait(action, self.turn)

    def wait_until_acknowledged(self) -> None:
        """Work until Heat's word was found for each result."""

        def is_acknowledged() -> bool:
            self.deliver()
            return self.server.undelivered == []

        wait_for("an empty outbox", is_acknowledged)
        assert not (self.server.root / "var/lib/heat-config/outbox/abandoned").exists()

    @property
    def log(self) -> str:
        """What both have said."""
        return self.server.log.read_text() + self._said

    def status(self) -> tuple[int, list[dict[str, Any]]]:
        """What heat-config status says, and its exit status."""
        done = self.server.run(self.server.root / "bin/heat-config", "status", "--format=json")
        return done.returncode, json.loads(done.stdout)
