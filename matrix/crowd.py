# SPDX-License-Identifier: Apache-2.0
"""Many servers in one stack, each with a deployment of its own."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.stack import Heat, Stack, wait_for
from tests.support.server import HostServer

NAMES = tuple(f"server-{number:02}" for number in range(1, 21))
# Seconds that all of them may take on a machine that does many at once.
PATIENCE = 600.0
# Servers that look at a time.
JOBS = 4


def template() -> dict[str, Any]:
    """A stack of these servers."""
    resources: dict[str, Any] = {
        "config": {
            "type": "OS::Heat::SoftwareConfig",
            "properties": {
                "group": "script",
                "inputs": [{"name": "who"}],
                "config": '#!/bin/sh\nprintf %s "$who"',
            },
        }
    }
    for name in NAMES:
        resources[name] = {
            "type": "OS::Heat::DeployedServer",
            "properties": {"software_config_transport": "ZAQAR_MESSAGE"},
        }
        resources[f"on-{name}"] = {
            "type": "OS::Heat::SoftwareDeployment",
            "properties": {
                "config": {"get_resource": "config"},
                "server": {"get_resource": name},
                "signal_transport": "ZAQAR_SIGNAL",
                "input_values": {"who": name},
            },
        }
    told = {name: {"get_attr": [name, "os_collect_config"]} for name in NAMES}
    said = {name: {"get_attr": [f"on-{name}", "deploy_stdout"]} for name in NAMES}
    return {
        "heat_template_version": "2021-04-16",
        "resources": resources,
        "outputs": {"servers": {"value": told}, "said": {"value": said}},
    }


def play(heat: Heat, folder: Path) -> str:
    """Create the stack; return what was wrong, or nothing.

    It is deleted with the control plane.
    """
    stack = heat.create(f"matrix-{uuid.uuid4().hex[:8]}", template(), minutes=10)
    servers = {name: HostServer(folder / name) for name in NAMES}
    try:
        told = wait_for("the servers' configuration", lambda: _told(stack), PATIENCE)
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda name: servers[name].boot(told[name]), NAMES))
            status = stack.wait(
                "CREATE", lambda: list(pool.map(HostServer.poll, servers.values())), PATIENCE
            )
    except TimeoutError as error:
        return str(error)
    if status != "COMPLETE":
        return stack.reason
    wrong = {name: said for name, said in stack.output("said").items() if said != name}
    return f"Heat has other outputs: {wrong}" if wrong else ""


def _told(stack: Stack) -> dict[str, Any]:
    """What each is told, once all are told where their queues are."""
    found: dict[str, Any] = stack.output("servers") or {}
    return found if all((found.get(name) or {}).get("zaqar") for name in NAMES) else {}
