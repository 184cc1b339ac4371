# SPDX-License-Identifier: Apache-2.0
"""A private podman, a private docker daemon, and servers that use them.

Everything is below one folder: storage, state, sockets. The one image is busybox.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab.stack import Stack, wait_for
from tests.functional.server import REPOSITORY, HostServer

IMAGE = "localhost/busybox:test"
APPLETS = ("cat", "echo", "env", "false", "head", "sh", "sleep", "true", "yes")
Create = Callable[..., Stack]

CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
[network]
network_config_dir = "{folder}/networks"
"""
STORAGE_CONF = """[storage]
driver = "vfs"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""


class Engine:
    """docker or podman, with the variables that lead a program to this one."""

    def __init__(self, program: str, variables: dict[str, str]) -> None:
        self.program = program
        self.variables = {"HEAT_DOCKER_CMD": program, **variables}

    def run(self, *words: str | Path) -> str:
        environment = {**os.environ, **self.variables}
        done = subprocess.run(
            [self.program, *words], env=environment, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def names(self) -> list[str]:
        return sorted(self.run("ps", "-a", "--format={{.Names}}").split())

    def import_image(self, folder: Path) -> None:
        path = folder / "image.tar"
        with tarfile.open(path, "w") as archive:
            archive.add("/bin/busybox", "bin/busybox")
            for name in APPLETS:
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link, io.BytesIO())
        self.run("import", "--change=ENV PATH=/bin", path, IMAGE)

    def clear(self) -> None:
        ids = self.run("ps", "-aq").split()
        if self.program == "podman":
            self.run("pod", "rm", "-af", "-t0")
            ids = self.run("ps", "-aq").split()
        if ids:
            self.run("rm", "-f", *ids)


@contextmanager
def podman(folder: Path) -> Iterator[Engine]:
    folder.mkdir()
    files = {"containers.conf": CONTAINERS_CONF, "storage.conf": STORAGE_CONF}
    for name, text in files.items():
        (folder / name).write_text(text.format(folder=folder))
    variables = {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }
    engine = Engine("podman", variables)
    engine.import_image(folder)
    try:
        yield engine
    finally:
        engine.clear()


@contextmanager
def docker(folder: Path) -> Iterator[Engine]:
    folder.mkdir()
    address = f"unix://{folder}/s"
    argv = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none"]
    argv += ["--storage-driver=vfs", f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    argv += [f"--pidfile={folder}/pid", f"--host={address}"]
    engine = Engine("docker", {"DOCKER_HOST": address})

    def answers() -> bool:
        assert daemon.poll() is None, (folder / "log").read_text()
        return not subprocess.run(["docker", "-H", address, "info"], capture_output=True).returncode

    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            wait_for("the docker daemon", answers)
            engine.import_image(folder)
            yield engine
        finally:
            if daemon.poll() is None:
                engine.clear()
                daemon.terminate()
                daemon.wait()


ENGINES = {"podman": podman, "docker": docker}


class HookServer(HostServer):
    """A server with the clean-up scripts of some elements, run before the agent."""

    def __init__(self, root: Path, variables: dict[str, str], *groups: str) -> None:
        state = root / "var/lib/heat-config"
        self.variables = {
            **variables,
            "HEAT_DOCKER_COMPOSE_WORKING": str(state / "compose"),
            "HEAT_KUBELET_MANIFESTS": str(state / "manifests"),
            "HEAT_CHEF_WORKING": str(state / "chef"),
            "HEAT_CHEF_OUTPUTS": str(root / "var/run/heat-config/chef"),
        }
        super().__init__(root)
        hooks = f"{sys.executable} {REPOSITORY}/hooks/"
        for group in groups:
            name = f"50-heat-config-{group}"
            text = (
                REPOSITORY / f"elements/heat-config-{group}/os-refresh-config/configure.d/{name}"
            ).read_text()
            self._program(name, text.replace("/usr/libexec/heat-config/hooks/", hooks))
        apply = f"os-apply-config --templates {root}/templates --output {root}"
        scripts = "\n".join(f"50-heat-config-{group}" for group in groups)
        self._program("refresh", f"set -eu\n{apply}\n{scripts}\nexec heat-config-run")

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self.variables}

    def hook(self, group: str, config: Any, **more: Any) -> tuple[dict[str, Any], str]:
        """Run a hook without Heat; return its answer and its log."""
        item = {"id": "c1", "name": "n1", "group": group, "config": config, **more}
        path = REPOSITORY / "hooks" / group
        done = self.run(sys.executable, path, input=json.dumps(item))
        assert done.returncode == 0
        return json.loads(done.stdout), done.stderr

    def metadata(self, *items: dict[str, Any]) -> None:
        path = self.root / "var/run/heat-config/heat-config"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(items))

    def clean_up(self, group: str) -> str:
        done = self.run(f"50-heat-config-{group}")
        assert done.returncode == 0
        return done.stderr

    def logs(self) -> str:
        texts = [path.read_text() for path in (self.root / "var/log/heat-config").glob("*")]
        return "".join([self.log.read_text(), *texts])


def example(group: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.safe_load((REPOSITORY / f"docs/hooks/{group}.yaml").read_text())
    template["heat_template_version"] = str(template["heat_template_version"])
    return template


def without_deployment(template: dict[str, Any]) -> dict[str, Any]:
    """The same stack with nothing but its server."""
    return {
        "heat_template_version": template["heat_template_version"],
        "resources": {"server": template["resources"]["server"]},
        "outputs": {"server": template["outputs"]["server"]},
    }


def drive(stack: Stack, server: HostServer, action: str = "CREATE") -> str:
    """Boot the server at the first action; poll until the stack has ended."""
    if action == "CREATE":
        server.boot(stack.wait_for_server())
    else:
        # It cannot end before the server has answered; until it begins, the state is the last one.
        wait_for("the update", lambda: stack.state == f"{action}_IN_PROGRESS")
    return stack.wait(action, server.poll)


def inputs(**values: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]
