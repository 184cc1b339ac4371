# SPDX-License-Identifier: Apache-2.0
"""Stacks of several servers from the templates beside this, and what Heat says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab.stack import Heat, Stack, wait_for
from tests.support.server import HostServer

TEMPLATES = Path(__file__).with_name("templates")

# A hook of an operator's own: its config is what it answers.
REPEAT = """#!/usr/bin/env python3
import json, sys
config = json.load(sys.stdin)["config"]
said = json.dumps(config, sort_keys=True)
print(json.dumps({"given": config, "deploy_stdout": said, "deploy_status_code": 0}))
"""


def named(name: str) -> dict[str, Any]:
    """The template of this name."""
    template: dict[str, Any] = yaml.safe_load((TEMPLATES / f"{name}.yaml").read_text())
    template["heat_template_version"] = str(template["heat_template_version"])
    return template


class Servers:
    """The servers of one stack, each in a folder of its own, by the names of their resources."""

    def __init__(self, root: Path, *names: str) -> None:
        self.by_name = {name: HostServer(root / name) for name in names}
        for server in self.by_name.values():
            hook = server.hooks / "repeat"
            hook.write_text(REPEAT)
            hook.chmod(0o755)

    def boot(self, stack: Stack) -> None:
        """Boot each with what the stack's output ``servers`` says of it."""

        def told() -> Any:
            found = stack.output("servers") or {}
            return found if all((found.get(name) or {}).get("zaqar") for name in names) else None

        names = list(self.by_name)
        for name, os_collect_config in wait_for("the servers' configuration", told).items():
            self.by_name[name].boot(os_collect_config)

    def poll(self) -> None:
        """Each looks for what Heat has posted."""
        for server in self.by_name.values():
            server.poll()

    def finish(self, stack: Stack, action: str) -> str:
        """Poll until an action that has been asked for has ended; return how it has."""
        if action != "CREATE":
            # It cannot end before a server has answered; before it begins, the state is the last.
            wait_for("its begin", lambda: stack.state == f"{action}_IN_PROGRESS")
        return stack.wait(action, self.poll)


def gone(heat: Heat, stack: Stack, meanwhile: Callable[[], object]) -> None:
    """Delete a stack whose servers have something to do about it."""
    stack.begin_to_delete()

    def found() -> bool:
        meanwhile()
        return all(each.id != stack.id for each in heat.api.stacks.list())

    wait_for("its end", found)


def resource_ids(heat: Heat, stack: Stack) -> dict[str, str]:
    """The ids of a stack's resources, by name: one that was replaced has another."""
    found = heat.api.resources.list(stack.id)
    return {each.resource_name: each.physical_resource_id for each in found}


def deployments(heat: Heat, stack: Stack) -> list[dict[str, Any]]:
    """What Heat asks of a stack's resource ``server``."""
    found: list[dict[str, Any]] = heat.api.resources.metadata(stack.id, "server").get(
        "deployments", []
    )
    return found


def events(heat: Heat, stack: Stack, group: str) -> list[tuple[str, str]]:
    """What Heat shows of a group's members, oldest first: their names and states."""
    nested = heat.api.resources.get(stack.id, group).physical_resource_id
    found = heat.api.events.list(nested, sort_dir="asc")
    return [
        (each.resource_name, each.resource_status)
        for each in found
        if each.resource_name != nested and each.physical_resource_id != nested
    ]
