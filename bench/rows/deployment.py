# SPDX-License-Identifier: Apache-2.0
"""The agent's own processor time for one deployment, of twenty that do nothing and are signalled.

Their hook is a program that answers at once, the same for both, so that what is measured is the
agent and its signals. Ours answers by ZAQAR_SIGNAL, the peer by HEAT_SIGNAL, which is what works
there. The floor is one token and one POST, with the standard library, in a process that runs.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.contenders import Agent, Cost, compared
from bench.figure import Against, Figure, Goal, sample
from bench.given import Given
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support.template import template
from tests.support.user import DemoUser

COUNT = 20
# As many times as ours the peer takes.
GOAL = Goal(1 / 8, Against.PEER)
HOOK = """#!/bin/sh
cat > /dev/null
echo '{"deploy_status_code": 0, "deploy_stdout": "", "deploy_stderr": ""}'
"""
# Prints the milliseconds of processor time for each pair of requests.
FLOOR = """
import http.client, json, sys, time
keystone, zaqar, count, asked, path, body = json.load(sys.stdin)
headers = {"Content-Type": "application/json", "Client-ID": "0" * 32}
def ask(host, path, body, **more):
    connection = http.client.HTTPConnection(host)
    connection.request("POST", path, json.dumps(body), {**headers, **more})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201, answer.status
    return answer.headers.get("X-Subject-Token")
begun = time.process_time()
for _ in range(count):
    ask(zaqar, path, body, **{"X-Auth-Token": ask(keystone, "/v3/auth/tokens", asked)})
print((time.process_time() - begun) * 1000 / count)
"""


def measure(given: Given) -> Iterator[Figure]:
    """A stack for each; its deployments are run again and again, each time by a new server."""
    runs = given.either(1, 3)
    agents = {"ours": (given.ours, "ZAQAR_SIGNAL"), "peer": (given.answering_peer, "HEAT_SIGNAL")}
    costs: dict[str, list[Cost]] = {}
    for name, (agent, transport) in agents.items():
        items, stack = _asked_for(given.lab, transport)
        folders = [given.folder / f"deployment-{name}-{number}" for number in range(runs)]
        costs[name] = [_run(agent, folder, items) for folder in folders]
        stack.delete()
    floor = sample(_floor(given.ours, given.lab) for _ in range(runs))
    cpu = compared("one deployment of 20: CPU", "ms", costs, lambda it: it.cpu / COUNT, (GOAL,))
    yield cpu._replace(floor=floor)
    yield compared("one deployment of 20: wall", "ms", costs, lambda it: it.wall / COUNT)


def _asked_for(lab: Lab, transport: str) -> tuple[list[Any], Stack]:
    """What Heat asks a server for, and the stack that it is of."""
    names = [f"step{number}" for number in range(COUNT)]
    made = template(
        server_transport="POLL_SERVER_HEAT",
        signal_transport=transport,
        deployments={name: {"config": "#!/bin/sh\n"} for name in names},
    )
    heat = Heat(lab.environment())
    stack = heat.create(f"deployment-{uuid.uuid4().hex[:8]}", made)
    stack.wait_for_server()
    server = heat.api.resources.get(stack.id, "server").physical_resource_id
    metadata = heat.api.software_deployments.metadata

    def all_of_them() -> list[Any] | None:
        found = list(metadata(server_id=server))
        return found if len(found) == COUNT else None

    return list(wait_for("the deployments", all_of_them)), stack


def _run(agent: Agent, folder: Path, items: list[Any]) -> Cost:
    """Run them all on a new server."""
    for name in ("deployed", "hooks", "outbox"):
        (folder / name).mkdir(parents=True)
    hook = folder / "hooks/script"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    (folder / "heat-config").write_text(json.dumps(items))
    cost = agent.run(folder)
    if left := list((folder / "outbox").glob("*.json")):
        raise RuntimeError(f"{len(left)} of {COUNT} results were not accepted")
    return cost


def _floor(agent: Agent, lab: Lab) -> float:
    user = DemoUser(lab)
    values = user.values
    keystone = values["deploy_auth_url"].split("/")[2]
    zaqar = lab.endpoints["messaging"].split("/")[2]
    who = {"id": values["deploy_user_id"], "password": values["deploy_password"]}
    identity = {"methods": ["password"], "password": {"user": who}}
    scope = {"project": {"id": values["deploy_project_id"]}}
    path = f"/v2/queues/floor-{uuid.uuid4().hex[:8]}/messages"
    body = {"messages": [{"body": {"deploy_status_code": 0}, "ttl": 3600}]}
    asked = {"auth": {"identity": identity, "scope": scope}}
    told = json.dumps([keystone, zaqar, COUNT, asked, path, body])
    command: list[str | Path] = [agent.python, "-c", FLOOR]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=True)
    return float(done.stdout)
