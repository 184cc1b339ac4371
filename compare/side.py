# SPDX-License-Identifier: Apache-2.0
"""One side: a control plane with the plug-in or without it, and stacks on it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from heatclient import exc
from keystoneauth1.exceptions import ClientException

from compare.verdict import Verdict, brief
from heat_config.cloud.errors import CloudError
from lab import Lab
from lab.stack import Heat, Stack
from tests.support.place import Item, Place
from tests.support.template import template

# Seconds that a stack may take, once all services are there again.
PATIENCE = 60.0
# Seconds between two looks.
EVERY = 0.2


class NotToldError(Exception):
    """Heat does not say yet where the server finds its metadata."""


# What a client sees of a cloud that is away, or that has not come so far yet.
AWAY = (ClientException, CloudError, NotToldError, exc.HTTPException, exc.CommunicationError)


class Side(NamedTuple):
    """One of the two that are compared."""

    lab: Lab
    heat: Heat
    server_transport: str
    signal_transport: str

    def template(self, value: str = "first", **more: Any) -> dict[str, Any]:
        """A server and one deployment; another ``value`` is another config.

        ``more``: further properties of the deployment.
        """
        wanted = {"config": "#!/bin/sh\necho $who", "values": {"who": value}}
        made = template(
            server_transport=self.server_transport,
            signal_transport=self.signal_transport,
            deployments={"step": wanted},
        )
        made["resources"]["step_deployment"]["properties"].update(more)
        return made

    def create(self, made: dict[str, Any], name: str = "", **options: Any) -> Stack:
        """Begin to create a stack."""
        return self.heat.create(name or f"case-{uuid.uuid4().hex[:8]}", made, **options)

    def created(self, made: dict[str, Any], name: str = "") -> Served:
        """A stack that is complete, and its server.

        :raises TimeoutError: it is not.
        """
        served = Served(self.create(made, name))
        verdict = served.ended("CREATE")
        if not verdict.passed:
            raise TimeoutError(f"CREATE: {verdict.said}")
        return served


class Served:
    """A stack, and a program in its server's place."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._place: Place | None = None

    def turn(self) -> None:
        """Answer what can be answered; a cloud that is away is asked again in the next turn."""
        with suppress(*AWAY):
            self.place.turn()

    def told(self) -> Item:
        """Wait for the deployment that the server is told of; nothing is answered yet.

        :raises TimeoutError: it is told of none.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(*AWAY):
                if found := self.place.new():
                    return found[0]
            time.sleep(EVERY)
        raise TimeoutError("the server is told of no deployment")

    @property
    def place(self) -> Place:
        """The server's place.

        :raises NotToldError: it cannot be taken yet.
        """
        if self._place is None:
            self._place = place_of(self.stack, "server")
        return self._place

    def ended(self, action: str, patience: float = PATIENCE) -> Verdict:
        """Serve until an action has ended; say how it did."""
        began = time.monotonic()
        while (taken := time.monotonic() - began) < patience:
            self.turn()
            done, _, status = _state(self.stack).partition("_")
            if done == action and status == "COMPLETE":
                return Verdict(True, f"complete after {taken:.0f} s")
            if done == action and status == "FAILED":
                return Verdict(False, brief(self.stack.reason))
            time.sleep(EVERY)
        return Verdict(False, f"{_state(self.stack)} after {taken:.0f} s")


def place_of(stack: Stack, output: str) -> Place:
    """Take the place of the server whose configuration is in an output.

    :raises NotToldError: Heat does not say yet where it finds its metadata.
    """
    given = stack.output(output) or {}
    if not given.get("zaqar"):
        raise NotToldError(f"{output} has no queue yet")
    return Place(given)


def _state(stack: Stack) -> str:
    """The stack's state; a stack that Heat does not know any more is deleted."""
    try:
        return stack.state
    except exc.HTTPNotFound:
        return "DELETE_COMPLETE"
    except AWAY as error:
        return f"unknown ({type(error).__name__})"


def judged(case: Callable[..., Verdict], *given: object) -> Verdict:
    """Run a case; what keeps it from being run is its failure."""
    try:
        return case(*given)
    except (*AWAY, TimeoutError, OSError) as error:
        return Verdict(False, brief(f"{type(error).__name__}: {error}"))
