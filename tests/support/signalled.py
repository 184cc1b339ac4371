# SPDX-License-Identifier: Apache-2.0
"""Deployments that wait for their results, on a stack whose server is nobody's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from heat_config import deployment
from lab.stack import Heat, Stack, wait_for

from .template import template

# Each result can be sent once: one deployment for each test that succeeds.
SIGNALS = {
    "heat": "HEAT_SIGNAL",
    "heat-large": "HEAT_SIGNAL",
    "cfn": "CFN_SIGNAL",
}


class Deployments:
    """A stack's deployments as its server sees them, and what Heat knows of them."""

    def __init__(self, heat: Heat, stack: Stack, wanted: int) -> None:
        self._api = heat.api.software_deployments
        self._server = heat.api.resources.get(stack.id, "server").physical_resource_id

        def all_there() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self._api.metadata(server_id=self._server)
            return found if len(found) == wanted else None

        items = wait_for("the server's deployments", all_there)
        self._found = {item["name"]: deployment.read(item) for item in items}

    def values(self, name: str) -> dict[str, Any]:
        """A deployment's inputs."""
        return dict(self._found[name].values)

    def result(self, name: str) -> dict[str, Any]:
        """What Heat has got of a deployment, once it has."""

        def output_values() -> dict[str, Any] | None:
            for found in self._api.list(server_id=self._server):
                if found.config_id == self._found[name].id:
                    values: dict[str, Any] | None = found.output_values
                    return values
            return None

        return dict(wait_for(f"the result of {name}", output_values))


@contextmanager
def signalled(heat: Heat, signals: Mapping[str, str] = SIGNALS) -> Iterator[Deployments]:
    """Such a stack; it is deleted afterwards. ``signals``: the deployments' transports."""
    wanted = template(
        server_transport="POLL_SERVER_HEAT",
        signal_transport="HEAT_SIGNAL",
        deployments={name: {"config": "", "outputs": [{"name": "output"}]} for name in signals},
    )
    for name, transport in signals.items():
        properties = wanted["resources"][f"{name}_deployment"]["properties"]
        properties["signal_transport"] = transport
    stack = heat.create(f"test-signals-{uuid.uuid4().hex[:8]}", wanted)
    stack.wait_for_server()
    yield Deployments(heat, stack, len(signals))
    stack.delete()
