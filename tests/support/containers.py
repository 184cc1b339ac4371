# SPDX-License-Identifier: Apache-2.0
"""A private podman and a private docker daemon.

Everything is below one folder: storage, state, sockets. The one image is busybox.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.stack import wait_for

IMAGE = "localhost/busybox:test"
APPLETS = ("cat", "echo", "env", "false", "head", "sh", "sleep", "true", "yes")

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


def pod(name: str, command: list[str], **spec: Any) -> dict[str, Any]:
    """A manifest for the group kubelet."""
    container = {"name": "c", "image": IMAGE, "command": command}
    fixed = {"hostNetwork": True, "terminationGracePeriodSeconds": 0, "restartPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {**fixed, "containers": [container], **spec},
    }


class Engine:
    """docker or podman, with the variables that lead a program to this one."""

    def __init__(self, program: str, variables: dict[str, str]) -> None:
        self.program = program
        self.variables = {
            "HEAT_DOCKER_CMD": program,
            "HEAT_DOCKER_COMPOSE_CMD": f"{program}-compose",
            **variables,
        }

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
