# SPDX-License-Identifier: Apache-2.0
"""Servers whose hooks run real tools, and the example templates of docs/hooks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml

from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support.checkout import DOCS, ELEMENTS
from tests.support.server import HostServer


class HookServer(HostServer):
    """A server with one group's hook, and the clean-up script of its element if it has one."""

    def __init__(self, root: Path, group: str, variables: dict[str, str]) -> None:
        self.group = group
        self.state = root / "var/lib/heat-config" / group
        prefix = f"HEAT_{group.upper().replace('-', '_')}"
        self.variables = {
            f"{prefix}_WORKING": str(self.state),
            f"{prefix}_OUTPUTS": str(root / "var/run/heat-config" / group),
            "HEAT_KUBELET_MANIFESTS": str(self.state),
            "HEAT_PUPPET_HIERA_DATADIR": str(root / "etc/puppet/hieradata"),
            "HEAT_HIERA_CONFIG": str(root / "etc/puppet/hiera.yaml"),
            **variables,
        }
        super().__init__(root)
        clean_up = ELEMENTS / f"heat-config-{group}/os-refresh-config/configure.d"
        scripts = [path.name for path in clean_up.glob("*")]
        for name in scripts:
            text = (clean_up / name).read_text()
            hooks = f"{sys.executable} {self.hooks}/"
            self._program(name, text.replace("/usr/libexec/heat-config/hooks/", hooks))
        apply = f"os-apply-config --templates {root}/templates --output {root}"
        self._program("refresh", "\n".join(["set -eu", apply, *scripts, "exec heat-config-run"]))

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self.variables}

    def hook(self, config: Any, **more: Any) -> tuple[dict[str, Any], str]:
        """Run the hook, or another group's, without Heat; return its answer and its log."""
        item = {"id": "c1", "name": "n1", "group": self.group, "config": config, **more}
        done = self.run(sys.executable, self.hooks / item["group"], input=json.dumps(item))
        assert done.returncode == 0
        return json.loads(done.stdout), done.stderr

    def metadata(self, *items: dict[str, Any], source: str = "zaqar") -> None:
        """What is rendered, and the source that it is from."""
        given = self.root / f"cache/{source}.json"
        given.write_text(json.dumps({"deployments": items}))
        self.variables["OS_CONFIG_FILES"] = str(given)
        path = self.root / "var/run/heat-config/heat-config"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(items))

    def clean_up(self) -> str:
        done = self.run(f"50-heat-config-{self.group}")
        assert done.returncode == 0
        return done.stderr


MakeServer = Callable[[str], HookServer]


def example(group: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.safe_load((DOCS / f"hooks/{group}.yaml").read_text())
    template["heat_template_version"] = str(template["heat_template_version"])
    return template


def without_deployment(template: dict[str, Any]) -> dict[str, Any]:
    """The same stack with nothing but its server."""
    return {
        "heat_template_version": template["heat_template_version"],
        "resources": {"server": template["resources"]["server"]},
        "outputs": {"server": template["outputs"]["server"]},
    }


@contextmanager
def known_to_nova(lab: Lab, heat: Heat, stack: Stack) -> Iterator[None]:
    """Heat waits for what a server does at a deletion only if Nova knows the server."""
    stack.wait_for_server()
    server_id = heat.api.resources.get(stack.id, "server").physical_resource_id
    url = f"{lab.endpoints['compute']}/servers/{server_id}"
    requests.put(url, timeout=30).raise_for_status()
    try:
        yield
    finally:
        requests.delete(url, timeout=30).raise_for_status()


def drive(stack: Stack, server: HostServer, action: str = "CREATE") -> str:
    """Boot the server at the first action; poll until the stack has ended."""
    if action == "CREATE":
        server.boot(stack.wait_for_server())
    else:
        # It cannot end before the server has answered; until it begins, the state is the last one.
        wait_for("the update", lambda: stack.state == f"{action}_IN_PROGRESS")
    return stack.wait(action, server.poll)
