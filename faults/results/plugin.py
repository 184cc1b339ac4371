# SPDX-License-Identifier: Apache-2.0
"""Heat's plug-in, as far as it has to do with one deployment's results: ZAQAR_MESSAGE.

The control plane of the schedules is Heat alone. So the harness makes the queue of each action,
signs its address for the server, and looks at it with the plug-in's own code; Heat itself is
signalled, and says whether it still waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any, NamedTuple

from heat_config.cloud import signed
from heat_plugin import reading
from heat_plugin.queues import RESULT_METHODS
from lab import Lab
from lab.stack import wait_for
from tests.support.signing import Signing

# What Heat gives a server of a deployment that has no user.
_KEPT = ("deploy_server_id", "deploy_action", "deploy_stack_id", "deploy_resource_name")


class Heat(NamedTuple):
    """What is asked of Heat for one deployment."""

    shown: Callable[[], Any]
    """The deployment as Heat has it."""
    signal: Callable[[dict[str, Any]], None]
    """Give Heat a result."""


class Results:
    """The results of one deployment: a queue for each action."""

    def __init__(self, lab: Lab, heat: Heat) -> None:
        self._lab = lab
        self._heat = heat
        # In an engine one thread looks for one deployment.
        self._lock = Lock()
        self._signing: Signing | None = None
        self._config_id = ""

    @property
    def queue(self) -> str:
        """The queue of the action that was asked for last; empty before the first."""
        return self._signing.name if self._signing else ""

    def inputs(self, given: list[dict[str, Any]], zaqar: str) -> list[dict[str, Any]]:
        """Begin an action: Heat's inputs with an address, at ``zaqar``, in place of a user."""
        signing = Signing(self._lab)
        address = replace(signing.address(*RESULT_METHODS), endpoint=zaqar)
        values = {
            "deploy_signal_transport": "ZAQAR_MESSAGE",
            "deploy_signal_id": signed.written(address),
            "deploy_signal_verb": "POST",
        }
        with self._lock:
            self.remove()
            self._signing, self._config_id = signing, ""
        kept = [entry for entry in given if entry["name"] in _KEPT]
        return [*kept, *({"name": name, "value": text} for name, text in values.items())]

    def expect(self, config_id: str) -> None:
        """Say which config the action is about."""
        with self._lock:
            self._config_id = config_id

    def look(self) -> None:
        """Look once, as the plug-in does."""
        with self._lock:
            if self._signing and self._config_id:
                ended = not self._waits()
                queue, config_id = self._signing.queue, self._config_id
                reading.read(queue, config_id, self._signal, ended=ended, nameless=False)

    def left(self) -> list[dict[str, Any]]:
        """The messages on the queue that are no acknowledgement."""
        messages = self._signing.queue.messages() if self._signing else []
        bodies = [message.body for message in messages]
        return [{"body": body} for body in bodies if not signed.is_acknowledgement(body)]

    def lose(self) -> None:
        """Let the queue's storage lose all that is on it: results and acknowledgements."""
        with self._lock:
            if self._signing:
                queue = self._signing.queue
                queue.remove([message.id for message in queue.messages()])

    def remove(self) -> None:
        """Delete the queue, as the plug-in does when the next action has one of its own."""
        if self._signing:
            self._signing.queue.delete()

    def _waits(self) -> bool:
        return bool(self._heat.shown().status == "IN_PROGRESS")

    def _signal(self, result: dict[str, Any]) -> None:
        """Signal, and wait until Heat has noted it: the plug-in's call returns only then."""
        self._heat.signal(result)
        wait_for("Heat to note a result", lambda: not self._waits())
