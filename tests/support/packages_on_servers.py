# SPDX-License-Identifier: Apache-2.0
"""What tests do on booted servers: packages, and what Heat asks for."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from lab.server import Server
from tests.support.deployments import script
from tests.support.packaged import APT, EVERYTHING

WATCHING = ("os-collect-config.service", "heat-config-deliver.path", "heat-config-resume.path")
DATA = "/var/lib/heat-cfntools/cfn-init-data"
# It ends when its file is there, and counts how often it was begun.
WAITING = """#!/bin/sh
echo begun >> /srv/begun-{name}
while [ ! -e /srv/go-{name} ]; do sleep 0.1; done
echo well
"""


def apt(server: Server, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run apt-get as a script does."""
    return server.run([*APT.split(), *words], check=check, timeout=600)


def shell(server: Server, text: str) -> str:
    """What a shell's script prints."""
    return server.run(["sh", "-euc", text], timeout=600).stdout


def install(server: Server, folder: str, *options: str) -> None:
    """Install a folder's packages."""
    apt(server, "install", *options, *shell(server, f"ls /packages/{folder}/*.deb").split())


def everything(server: Server) -> set[str]:
    """Each path of the server's."""
    return set(shell(server, EVERYTHING).splitlines())


def waiting(name: str, **more: Any) -> dict[str, Any]:
    """A deployment that waits for the file ``/srv/go-NAME``."""
    return script(WAITING.format(name=name), config_id=name, **more)


def ask(server: Server, items: list[dict[str, Any]]) -> None:
    """Heat asks for these, and the service looks."""
    settings = {"collectors": ["heat_local"]}
    asked = json.dumps({"deployments": items, "os-collect-config": settings})
    write = f"umask 077; mkdir -p $(dirname {DATA}); cat > {DATA}"
    server.run(["sh", "-c", write], text_input=asked)
    server.run(["systemctl", "restart", "os-collect-config"])


def wait_for(server: Server, test: str) -> None:
    """Wait until a shell's command succeeds."""
    server.wait_for(lambda it: not it.run(["sh", "-c", test], check=False).returncode, what=test)


def states(server: Server, verb: str) -> list[str]:
    """What systemctl's verb says of each that watches."""
    return server.run(["systemctl", verb, *WATCHING], check=False).stdout.split()


def result(server: Server, name: str) -> tuple[object, object]:
    """A deployment's status code and stdout."""
    found = json.loads(server.read(f"/var/lib/heat-config/deployed/{name}.notify.json"))
    return found["deploy_status_code"], found["deploy_stdout"]
