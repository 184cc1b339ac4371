# SPDX-License-Identifier: Apache-2.0
"""The control plane of the way out: Heat as who asks for configs, and takes their results."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from heatclient import exc

from faults import world
from faults.results import plugin
from faults.results.schedule import QUEUES, RESOURCES, SIGNED, URLS
from faults.schedule import CFN, HEAT, KEYSTONE, ZAQAR
from faults.wires import FaultyWire
from lab import Lab
from lab.catalog import add_region
from lab.stack import Heat, Stack

# Seconds that Heat's engine may take over a signal.
SETTLING = 1.0

_SERVICES = {
    KEYSTONE: "identity",
    ZAQAR: "messaging",
    HEAT: "orchestration",
    CFN: "cloudformation",
}
_TRANSPORTS = {
    **dict.fromkeys(QUEUES, "ZAQAR_SIGNAL"),
    **dict.fromkeys(RESOURCES, "HEAT_SIGNAL"),
    # Heat alone knows no other way to give it the result; the server is given an address.
    **dict.fromkeys(SIGNED, "HEAT_SIGNAL"),
    **dict.fromkeys(URLS, "CFN_SIGNAL"),
}


@dataclass(frozen=True)
class Slot:
    """One deployment of the stack: what Heat gives its configs as inputs."""

    name: str
    deployment_id: str
    inputs: tuple[dict[str, Any], ...]

    def value(self, name: str) -> str:
        """The value of one of these inputs; empty when there is none."""
        found = (entry["value"] for entry in self.inputs if entry["name"] == name)
        return str(next(found, ""))

    @property
    def queue(self) -> str:
        """The queue on which Heat waits; empty with another transport."""
        return self.value("deploy_queue_id")


class Place(world.Place):
    """One stack with its deployments, and the wires between them and a server."""

    def __init__(self, lab: Lab, stack: Stack, region: str, wires: dict[str, FaultyWire]) -> None:
        super().__init__(wires)
        self._api = Heat(lab.environment()).api
        self._stack_id = stack.id
        self._resources = {
            found.resource_name: found.physical_resource_id
            for found in self._api.resources.list(stack.id)
        }
        self._region = region
        self.slots = {name: self._slot(name) for name in _TRANSPORTS}
        self._queues = {slot.queue: self._queue_user(slot) for slot in self.slots.values()}
        self._signed = {name: plugin.Results(lab, self._heat_of(name)) for name in SIGNED}

    def ask(self, slot_name: str, **config: Any) -> str:
        """Have Heat ask for a config, as an UPDATE does; return the config's id."""
        slot = self.slots[slot_name]
        made = self._api.software_configs.create(
            name=slot_name, inputs=self._inputs(slot), **config
        )
        self._api.software_deployments.update(
            slot.deployment_id,
            config_id=made.id,
            action="UPDATE",
            status="IN_PROGRESS",
            status_reason="Deploy data available",
            input_values={},
        )
        if slot_name in SIGNED:
            self._signed[slot_name].expect(made.id)
        return str(made.id)

    def metadata(self, config_ids: Iterable[str]) -> str:
        """What Heat tells the server, of these configs."""
        wanted = set(config_ids)
        found = self._api.software_deployments.metadata(self._resources["server"])
        return json.dumps([item for item in found if item["id"] in wanted])

    def look(self, slot_name: str) -> Any:
        """Have Heat look at a deployment, and so at its queue while it is in progress."""
        if slot_name in SIGNED:
            self._signed[slot_name].look()
        return self._shown(slot_name)

    def queue(self, slot_name: str) -> str:
        """The queue on which a deployment's result is expected; empty with another transport."""
        signed = self._signed.get(slot_name)
        return signed.queue if signed else self.slots[slot_name].queue

    def lose(self, slot_name: str) -> None:
        """Let the queue of a signed deployment lose what is on it."""
        if slot_name in SIGNED:
            self._signed[slot_name].lose()

    def _shown(self, slot_name: str) -> Any:
        return self._api.software_deployments.get(self.slots[slot_name].deployment_id)

    def left_on_queue(self, slot_name: str) -> list[dict[str, Any]]:
        """The messages on a deployment's queue; of a signed one, without the acknowledgement."""
        if slot_name in SIGNED:
            return self._signed[slot_name].left()
        url, user = self._queues[self.slots[slot_name].queue]
        answer = user.get(f"{url}?echo=true&limit=20", headers=world.CLIENT)
        return list(answer.json()["messages"]) if answer.status_code == 200 else []

    def drain(self, slot_name: str) -> None:
        """Remove what is on a deployment's queue."""
        if slot_name in SIGNED:
            self._signed[slot_name].remove()
            return
        url, user = self._queues[self.slots[slot_name].queue]
        user.delete(f"{url}?pop=20", headers=world.CLIENT)

    def wait_until_settled(self) -> None:
        """Wait until Heat has taken note of the signals that its API has accepted.

        It answers 200 and hands them to its engine: one that is still on the way there would
        be taken for the answer to what is asked for next.
        """
        signals = [line.at for line in self.journal.lines if line.wire in (HEAT, CFN)]
        if signals:
            time.sleep(max(0.0, SETTLING - (self.journal.now() - signals[-1])))

    def _slot(self, name: str) -> Slot:
        deployment_id = self._resources[name]
        config_id = self._api.software_deployments.get(deployment_id).config_id
        inputs = self._api.software_configs.get(config_id).inputs
        return Slot(name, deployment_id, tuple(inputs))

    def _inputs(self, slot: Slot) -> list[dict[str, Any]]:
        """The inputs as Heat makes them, with the wires for the services."""
        if slot.name in SIGNED:
            return self._signed[slot.name].inputs(list(slot.inputs), self.wires[ZAQAR].url)
        changed = {"deploy_action": "UPDATE", "deploy_region_name": self._region}
        for name, wire in (("deploy_auth_url", KEYSTONE), ("deploy_signal_id", CFN)):
            changed[name] = _through(self.wires[wire], slot.value(name))
        return [
            {**entry, "value": changed.get(entry["name"], entry["value"])} for entry in slot.inputs
        ]

    def _heat_of(self, name: str) -> plugin.Heat:
        def signal(result: dict[str, Any]) -> None:
            self._api.resources.signal(self._stack_id, name, data=result)

        return plugin.Heat(lambda: self._shown(name), signal)

    def _queue_user(self, slot: Slot) -> tuple[str, Any]:
        """The address of a deployment's messages, and its user, past the wires."""
        host, port = self.wires[ZAQAR].upstream
        url = f"http://{host}:{port}/v2/queues/{slot.queue}/messages"
        return url, world.user(
            auth_url=slot.value("deploy_auth_url"),
            user_id=slot.value("deploy_user_id"),
            password=slot.value("deploy_password"),
            project_id=slot.value("deploy_project_id"),
        )


def places(lab: Lab, count: int) -> AbstractContextManager[list[Place]]:
    """Make places for so many schedules at once, all on one lab."""
    heat = Heat(lab.environment())

    def make(name: str, wires: dict[str, FaultyWire], stack: ExitStack) -> Place:
        heat_url = f"{wires[HEAT].url}/v1/%(project_id)s"
        add_region(lab, name, {"zaqar": wires[ZAQAR].url, "heat": heat_url})
        created = _make_stack(heat, name)
        stack.callback(created.delete)
        return Place(lab, created, name, wires)

    return world.places(count, "faults", lambda: world.wires(lab, _SERVICES, FaultyWire), make)


def _through(wire: FaultyWire, url: str) -> str:
    """The same address, over the wire."""
    return urlunsplit(urlsplit(url)._replace(netloc=f"127.0.0.1:{wire.port}"))


def _make_stack(heat: Heat, name: str) -> Stack:
    """Create the stack, and answer its first configs in a server's place."""
    resources: dict[str, Any] = {
        "server": {
            "type": "OS::Heat::DeployedServer",
            "properties": {"software_config_transport": "POLL_SERVER_HEAT"},
        },
        "config": {"type": "OS::Heat::SoftwareConfig", "properties": {"group": "script"}},
    }
    for slot, transport in _TRANSPORTS.items():
        properties = {
            "config": {"get_resource": "config"},
            "server": {"get_resource": "server"},
            "signal_transport": transport,
            # The harness deletes the stack without a server.
            "actions": ["CREATE", "UPDATE"],
        }
        resources[slot] = {"type": "OS::Heat::SoftwareDeployment", "properties": properties}
    stack = heat.create(name, {"heat_template_version": "2021-04-16", "resources": resources})
    waiting = set(_TRANSPORTS)

    def answer() -> None:
        for found in heat.api.resources.list(stack.id):
            if found.resource_name in waiting and found.physical_resource_id:
                _answer(heat, stack, found.resource_name, waiting)

    if stack.wait("CREATE", answer) != "COMPLETE":
        raise RuntimeError(f"the stack {name} is not complete: {stack.reason}")
    return stack


def _answer(heat: Heat, stack: Stack, resource: str, waiting: set[str]) -> None:
    try:
        heat.api.resources.signal(stack.id, resource, data={"deploy_status_code": 0})
    except exc.HTTPException:
        time.sleep(0.1)  # not yet
    else:
        waiting.discard(resource)
