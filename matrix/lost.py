# SPDX-License-Identifier: Apache-2.0
"""What Heat itself loses: a result that it accepts, and gives to the wrong one of two resources.

While Heat replaces a deployment that has failed, it has two resources of one name. A signal names
its resource; which of the two Heat takes is the database's to say (:data:`matrix.cells.LOST`). The
one that is replaced waits for nothing and ignores it, and Heat has answered the agent with success.
So no agent can know, and the update waits until the stack times out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lab.stack import Stack

# How Heat's event says that a signal has changed nothing.
IGNORED = "Unknown"


class Signal(NamedTuple):
    """A signal that Heat has accepted and that changed nothing."""

    event: str
    """The id of Heat's event."""
    deployment: str
    """The id of the deployment that it was given to."""


def ignored(api: Any, stack: Stack) -> set[Signal]:
    """Those of a stack up to now; ``api``: python-heatclient's."""
    return {
        Signal(event.id, event.physical_resource_id)
        for event in api.events.list(stack.id)
        if event.resource_status.startswith("SIGNAL_") and event.resource_status_reason == IGNORED
    }


def is_lost(api: Any, stack: Stack, before: set[Signal]) -> bool:
    """Whether a signal since then was given to one that had failed, while another waits for it."""
    found = ignored(api, stack) - before
    server = api.resources.get(stack.id, "server").physical_resource_id
    status = {each.id: each.status for each in api.software_deployments.list(server_id=server)}
    waits = "IN_PROGRESS" in status.values()
    return waits and any(status.get(each.deployment) == "FAILED" for each in found)
