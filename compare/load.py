# SPDX-License-Identifier: Apache-2.0
"""100 deployments in progress on one engine: what else it still does, and what they cost."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from compare.side import AWAY, Side, place_of
from compare.verdict import Verdict
from lab import Lab
from lab.stack import Stack
from tests.support.answering import unique
from tests.support.place import Place
from tests.support.template import template

SERVERS = 10
EACH = 10
# Seconds in which another stack of one random string should be complete.
SOON = 3.0
# And for which it is waited.
AT_MOST = 30.0
# Seconds without one more deployment in progress, after which no more are expected.
SETTLED = 30.0
# Seconds for which the engine's work is watched.
WATCHED = 15.0
PATIENCE = 240.0
CASE = f"{SERVERS * EACH} deployments in progress, another stack within {SOON:.0f} s"

_ROWS = """
import configparser, sys
from sqlalchemy import create_engine, text
found = configparser.RawConfigParser(strict=False)
found.read(sys.argv[1])
with create_engine(found["database"]["connection"]).connect() as database:
    print(database.execute(text("SELECT count(*) FROM resource_data")).scalar())
"""


class Figures(NamedTuple):
    """What 100 deployments have cost, from the stack's begin until it was complete."""

    in_progress: int
    processor: float
    """Of the engine, in milliseconds a second for each that waits."""
    keystone: int
    """Requests, the servers' own among them."""
    zaqar: int
    users: int
    """Users of stacks while all were in progress."""
    rows: int
    """Rows of resource data in Heat's database then."""

    def lines(self) -> dict[str, str]:
        """As the table has them."""
        return {
            "100 deployments: in progress at once": str(self.in_progress),
            "100 deployments: engine, ms/s for each that waits": f"{self.processor:.1f}",
            "100 deployments: requests to Keystone": str(self.keystone),
            "100 deployments: requests to Zaqar": str(self.zaqar),
            "100 deployments: stack users": str(self.users),
            "100 deployments: rows of resource data": str(self.rows),
        }


class Load:
    """The stack, and what is measured while it waits."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._before = _requests(side.lab)
        self._users = _users(side.lab)
        self._rows = _rows(side.lab)
        self.stack = side.create(_template(side), minutes=15)
        self.in_progress = self._wait_until_settled()

    def another(self) -> Verdict:
        """Create a stack of one random string beside it."""
        began = time.monotonic()
        made = {
            "heat_template_version": "2021-04-16",
            "resources": {"one": {"type": "OS::Heat::RandomString"}},
        }
        stack = self._side.create(made, f"other-{unique()}")
        while (taken := time.monotonic() - began) < AT_MOST:
            if stack.state == "CREATE_COMPLETE":
                said = f"another stack after {taken:.1f} s, {self.in_progress} in progress"
                return Verdict(taken <= SOON, said)
            time.sleep(0.1)
        said = f"another stack {stack.state} after {taken:.0f} s, {self.in_progress} in progress"
        return Verdict(False, said)

    def figures(self) -> Figures:
        """Watch the engine, then answer all and count."""
        processor = _processor(self._side.lab) / max(self.in_progress, 1)
        users = _users(self._side.lab) - self._users
        rows = _rows(self._side.lab) - self._rows
        self._answer_all()
        after = _requests(self._side.lab)
        keystone, zaqar = (now - then for now, then in zip(after, self._before, strict=True))
        return Figures(self.in_progress, processor, keystone, zaqar, users, rows)

    def _wait_until_settled(self) -> int:
        most, changed = 0, time.monotonic()
        while time.monotonic() - changed < SETTLED and most < SERVERS * EACH:
            found = _begun(self._side, self.stack)
            if found > most:
                most, changed = found, time.monotonic()
            time.sleep(1)
        return most

    def _answer_all(self) -> None:
        """As servers that look once in a while."""
        places: dict[str, Place] = {}
        deadline = time.monotonic() + PATIENCE
        while (state := self.stack.state) != "CREATE_COMPLETE":
            if time.monotonic() > deadline or state == "CREATE_FAILED":
                raise TimeoutError(f"100 deployments: {state}: {self.stack.reason}")
            for name in _servers():
                self._turn(places, name)
            time.sleep(2)

    def _turn(self, places: dict[str, Place], name: str) -> None:
        try:
            if name not in places:
                places[name] = place_of(self.stack, name)
            for item in places[name].new():
                places[name].answer(item)
        except AWAY:
            return


def _servers() -> list[str]:
    return [f"server{number}" for number in range(SERVERS)]


def _template(side: Side) -> dict[str, Any]:
    """Ten servers with ten deployments each, of one config."""
    made = template(
        server_transport=side.server_transport,
        signal_transport=side.signal_transport,
        deployments={"step": {"config": "#!/bin/sh\necho done"}},
    )
    resources = made["resources"]
    server, deployment = resources.pop("server"), resources.pop("step_deployment")
    for name in _servers():
        resources[name] = server
        for number in range(EACH):
            properties = {**deployment["properties"], "server": {"get_resource": name}}
            resources[f"step_{name}_{number}"] = {**deployment, "properties": properties}
    made["outputs"] = {
        name: {"value": {"get_attr": [name, "os_collect_config"]}} for name in _servers()
    }
    return made


def _begun(side: Side, stack: Stack) -> int:
    """How many deployments wait for their servers."""
    resources = side.heat.api.resources.list(stack.id)
    return sum(
        each.resource_name.startswith("step_server") and bool(each.physical_resource_id)
        for each in resources
    )


def _requests(lab: Lab) -> tuple[int, int]:
    """How many requests Keystone and Zaqar have answered."""
    texts = [lab.logs[name].read_text(errors="replace") for name in ("keystone", "zaqar")]
    keystone, zaqar = (len(re.findall("HTTP/1", text)) for text in texts)
    return keystone, zaqar


def _users(lab: Lab) -> int:
    command = [
        str(lab.bin("openstack")),
        "user",
        "list",
        "--domain",
        "heat",
        "-f",
        "value",
        "-c",
        "ID",
    ]
    environment = {**os.environ, **lab.environment("admin")}
    listed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return len(listed.stdout.split())


def _rows(lab: Lab) -> int:
    conf = lab.directory / "etc/heat.conf"
    return int(subprocess.check_output([lab.python, "-c", _ROWS, conf], text=True))


def _processor(lab: Lab) -> float:
    """Milliseconds of processor time that the engine takes in a second."""
    (pid,) = (each.pid for each in lab.status() if each.name == "heat")
    before = _ticks(pid)
    time.sleep(WATCHED)
    ticks = _ticks(pid) - before
    return ticks / os.sysconf("SC_CLK_TCK") / WATCHED * 1000


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
