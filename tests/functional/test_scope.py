# SPDX-License-Identifier: Apache-2.0
"""What belongs to a run, in a booted image: systemd, its service and the groups below that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.image import build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server

SERVICE = "os-collect-config"

# The command lines of all processes; there is no ps in the image.
PROCESSES = "for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $each; echo; done 2> /dev/null"

# Each gets out of its parent's reach in another way; the numbers make them known.
TOO_LONG = f"""#!/bin/bash
setsid sleep 1001 &
(setsid nohup sleep 1002 > /dev/null 2>&1 &)
env -i setsid sleep 1003 &
su - nobody -s /bin/sh -c 'exec sleep 1004' &
setpriv --reuid=65534 --clear-groups setsid sleep 1005 &
sleep 2
{PROCESSES} | grep '^sleep 100'
exec sleep 1006
"""
LEAVES = """#!/bin/bash
setsid sleep 2001 < /dev/null > /dev/null 2>&1 &
"""


def deployment(config_id: str, config: str, **options: object) -> dict[str, Any]:
    return {
        "id": config_id,
        "name": config_id,
        "group": "script",
        "config": config,
        "inputs": [],
        "outputs": [],
        "options": options,
        "creation_time": "2026-11-22T12:00:00Z",
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that has its deployments with it, and nobody to answer."""
    asked = [deployment("too-long", TOO_LONG, timeout=5), deployment("leaves", LEAVES)]
    found = File("/var/lib/heat-cfntools/cfn-init-data", json.dumps({"deployments": asked}))
    with Server(unpack(build_tar()), files=[BOOT_CONFIG, found]) as booted:
        booted.wait_for(lambda it: result(it, "leaves"), timeout=60, what="the last result")
        yield booted


def result(server: Server, config_id: str) -> dict[str, Any]:
    text = server.read(f"/var/lib/heat-config/deployed/{config_id}.notify.json")
    found: dict[str, Any] = json.loads(text or "{}")
    return found


def sleeping(text: str) -> list[str]:
    """The programs that sleep for longer than anything of the system's, in a list of processes."""
    return sorted(line.strip() for line in text.splitlines() if re.match("sleep [12]00", line))


def still_sleeping(server: Server) -> list[str]:
    return sleeping(server.run(["sh", "-c", PROCESSES]).stdout)


def groups(server: Server) -> list[str]:
    """The runs' control groups, below which unit each is."""
    search = ["find", "/sys/fs/cgroup", "-type", "d", "-name", "*.heat-config"]
    found = map(Path, server.run(search).stdout.split())
    return [f"{path.parent.name}/{path.stem.rpartition('-')[0]}" for path in found]


def test_the_time_limit_ends_all_that_a_script_has_started(server: Server) -> None:
    kept = result(server, "too-long")
    assert kept["deploy_status_code"] == 124
    assert "time limit of 5 s" in kept["deploy_stderr"]
    assert sleeping(kept["deploy_stdout"]) == [f"sleep {1001 + each}" for each in range(5)]
    assert still_sleeping(server) == ["sleep 2001"]


def test_a_service_that_a_script_has_left_goes_on_in_its_own_group(server: Server) -> None:
    assert result(server, "leaves")["deploy_status_code"] == 0
    assert still_sleeping(server) == ["sleep 2001"]
    assert groups(server) == [f"{SERVICE}.service/leaves"]


def test_it_goes_on_when_the_service_that_ran_it_restarts(server: Server) -> None:
    server.run(["systemctl", "daemon-reload"])
    server.run(["systemctl", "restart", SERVICE])
    assert server.run(["systemctl", "is-active", SERVICE]).stdout == "active\n"
    assert still_sleeping(server) == ["sleep 2001"]
    assert groups(server) == [f"{SERVICE}.service/leaves"]
    shown = server.run(["systemctl", "show", SERVICE, "-p", "Delegate,DelegateControllers"]).stdout
    assert shown == "Delegate=yes\nDelegateControllers=\n"


def test_stop_leaves_it_alone_and_kill_ends_it_also_after_that(server: Server) -> None:
    server.run(["systemctl", "stop", SERVICE])
    assert still_sleeping(server) == ["sleep 2001"]
    server.run(["systemctl", "kill", SERVICE])
    server.wait_for(lambda it: still_sleeping(it) == [], what="the end of all that runs")
