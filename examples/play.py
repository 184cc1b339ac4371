# SPDX-License-Identifier: Apache-2.0
"""One template: its stack, and a booted server for each of its servers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from heatclient import exc

from examples import cloud
from lab import LabError, user_data
from lab.server import Server
from lab.stack import Heat, Stack, wait_for

# Seconds that a stack, or a server's part in it, may take.
PATIENCE = 300.0
# Its exit status is 0 when all has run well, and another one while something is left to be done.
STATUS = ("heat-config", "status")
UNFINISHED = 2
FOUND = "/var/lib/heat-config/deployed/*.notify.json"


class Outcome(NamedTuple):
    """What came of one template."""

    servers: int
    deployments: int
    seconds: float
    problem: str = ""
    """What was wrong; empty if nothing was."""


class Told(NamedTuple):
    """One server, as its provider template says."""

    os_collect_config: dict[str, Any]
    user_data: str
    user_data_format: str


class Example:
    """One template on its way through Heat."""

    def __init__(self, heat: Heat, root: Path, path: Path, folder: Path) -> None:
        self._heat = heat
        self._root = root
        self._folder = folder
        self._template, self._files = cloud.read(str(path))
        self._name = path.stem.replace("_", "-")

    def play(self) -> Outcome:
        """Create the stack, boot its servers, and see what Heat and the servers say."""
        began = time.monotonic()
        problem = ""
        try:
            stack = self._create()
            try:
                self._see(stack)
            finally:
                stack.delete()
        except (LabError, TimeoutError, exc.HTTPException) as error:
            problem = str(error)
        servers, deployments = self._count("Server"), self._count("Deployment")
        return Outcome(servers, deployments, time.monotonic() - began, problem)

    def _count(self, word: str) -> int:
        types = [each["type"] for each in self._template["resources"].values()]
        return sum(word in each.rpartition("::")[2] for each in types)

    def _create(self) -> Stack:
        nova = self._heat.api.resource_types.get("OS::Nova::Server")
        return self._heat.create(
            self._name,
            self._template,
            environment=cloud.ENVIRONMENT,
            files={**self._files, cloud.SERVER: cloud.server(list(nova["attributes"]))},
            **cloud.parameters(self._template),
        )

    def _see(self, stack: Stack) -> None:
        self._folder.mkdir()
        told = wait_for("the servers", lambda: self._told(stack), PATIENCE)
        with ExitStack() as servers:
            booted = [servers.enter_context(self._server(name, it)) for name, it in told.items()]
            if stack.wait("CREATE", patience=PATIENCE) != "COMPLETE":
                raise LabError(f"{stack.reason} {self._said(stack)}")
            judge(booted, has_deployments=self._count("Deployment") > 0)

    def _said(self, stack: Stack) -> str:
        """What the deployments that failed have said: Heat's reason has their exit status only."""
        failed = [
            each.physical_resource_id
            for each in self._heat.api.resources.list(stack.id)
            if each.resource_status == "CREATE_FAILED" and each.resource_type.endswith("Deployment")
        ]
        found = [self._heat.api.software_deployments.get(each) for each in failed if each]
        return " ".join(str((each.output_values or {}).get("deploy_stderr")) for each in found)

    def _told(self, stack: Stack) -> dict[str, Told]:
        """What each server is told, by its name; empty until all are there."""
        resources = self._heat.api.resources.list(stack.id)
        servers = [each for each in resources if each.resource_type == "OS::Nova::Server"]
        names = [each.resource_name for each in servers]
        found = {name: it for name in names if (it := self._one_told(stack, name))}
        return found if len(found) == len(names) > 0 else {}

    def _one_told(self, stack: Stack, name: str) -> Told | None:
        wanted = ["os_collect_config", "user_data", "user_data_format"]
        resource = self._heat.api.resources.get(stack.id, name, with_attr=wanted)
        if resource.resource_status != "CREATE_COMPLETE":
            return None
        return Told(*(resource.attributes[each] for each in wanted))

    def _server(self, name: str, told: Told) -> Server:
        text = user_data.from_heat(
            told.os_collect_config,
            self._authors(told.user_data),
            user_data_format=told.user_data_format,
        )
        disks = user_data.lay_ready(text, self._folder / name)
        return Server(self._root, disks=disks)

    def _authors(self, given: str) -> str:
        """The author's user data: what a config holds, or what the template says itself."""
        try:
            return str(self._heat.api.software_configs.get(given).config) if given else ""
        except exc.HTTPException:
            return given


def judge(servers: Iterable[Server], *, has_deployments: bool) -> None:
    """See that cloud-init has done its part, and that nothing is left to be done or has failed.

    :raises LabError: it is not so.
    """
    for server in servers:
        server.run(["cloud-init", "status", "--wait"], timeout=PATIENCE)
        if has_deployments:
            server.wait_for(_is_at_an_end, what="the end of its deployments")
            _see_results(server)


def _is_at_an_end(server: Server) -> bool:
    """Whether it has run what it is for: where Heat waits for nothing, that comes after CREATE."""
    has_any = server.run(["sh", "-c", f"ls {FOUND}"], check=False).returncode == 0
    return has_any and server.run(STATUS, check=False).returncode != UNFINISHED


def _see_results(server: Server) -> None:
    if server.run(STATUS, check=False).returncode:
        raise LabError(server.run(["sh", "-c", f"heat-config status; cat {FOUND}"]).stdout)
