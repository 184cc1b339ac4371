# SPDX-License-Identifier: Apache-2.0
"""A run with nothing to do, as each run of os-refresh-config has one: all deployments are done.

The peer gets the same file. The floor is an interpreter of ours that imports ``json`` and ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.contenders import Agent, Cost, compared, one_run, said_by
from bench.figure import Against, Figure, Goal
from bench.given import Given

COUNTS = (1, 50, 500)
# The one that has goals against the peer and the floor; the others show that it stays so.
GOAL_AT = 50
GOALS = (Goal(0.6, Against.PEER), Goal(1.2, Against.FLOOR))
FLAT = Goal(1.5, Against.FLOOR)
FLOOR = "import json"
WARM_UP = 3


def measure(given: Given) -> Iterator[Figure]:
    """Wall clock and processor of each count, and how the most compare with the fewest."""
    runs = given.either(10, 40)
    many = {count: _costs(given, count, runs) for count in COUNTS}
    for count, costs in many.items():
        goals = GOALS if count == GOAL_AT else ()
        yield from _figures(f"nothing to do, {count} known", costs, goals)
    most, fewest = many[COUNTS[-1]]["ours"], many[COUNTS[0]]["ours"]
    name = f"nothing to do, {COUNTS[-1]} known (floor: {COUNTS[0]})"
    yield from _figures(name, {"ours": most, "floor": fewest}, (FLAT,))


def _figures(name: str, costs: dict[str, list[Cost]], goals: tuple[Goal, ...]) -> Iterator[Figure]:
    kinds: dict[str, Callable[[Cost], float]] = {
        "wall": lambda it: it.wall,
        "CPU": lambda it: it.cpu,
    }
    for kind, of in kinds.items():
        # Goals are about processor time: another program on the machine does not change it.
        yield compared(f"{name}: {kind}", "ms", costs, of, goals if kind == "CPU" else ())


def _costs(given: Given, count: int, runs: int) -> dict[str, list[Cost]]:
    """Run all in turns, each first as often as the others."""
    folder = given.folder / f"idle-{count}"
    prepare(folder, count)
    for agent in (given.ours, given.peer):
        if agent.says not in said_by(agent.program, agent.environment(folder)):
            raise RuntimeError(f"{agent.program} does not take the deployments for done")
    takes: list[tuple[str, Callable[[], Cost]]] = [
        ("ours", lambda: given.ours.run(folder)),
        ("peer", lambda: given.peer.run(folder)),
        ("floor", lambda: _floor(given.ours)),
    ]
    costs: dict[str, list[Cost]] = {name: [] for name, _ in takes}
    for number in range(WARM_UP + runs):
        for name, take in takes[:: 1 if number % 2 else -1]:
            cost = take()
            if number >= WARM_UP:
                costs[name].append(cost)
    return costs


def _floor(agent: Agent) -> Cost:
    return one_run([agent.python, "-c", FLOOR], {"PATH": os.defpath})


def prepare(folder: Path, count: int) -> None:
    """Make a server on which so much is done."""
    deployed = folder / "deployed"
    for path in (deployed, folder / "outbox"):
        path.mkdir(parents=True)
    items = [_deployment(number) for number in range(count)]
    for item in items:
        (deployed / f"{item['id']}.json").write_text(json.dumps(item, indent=2))
        result = {"deploy_stdout": "done\n", "deploy_stderr": "", "deploy_status_code": 0}
        (deployed / f"{item['id']}.notify.json").write_text(json.dumps(result, indent=2))
    config = folder / "heat-config"
    config.write_text(json.dumps(items))
    config.chmod(0o600)


def _deployment(number: int) -> dict[str, Any]:
    """One item of the metadata as Heat writes it, with a script of 2 KB."""
    inputs = {
        "deploy_server_id": "7e9e9b0c-4a6d-4f0e-9d0a-2f3c1f0f9a11",
        "deploy_action": "CREATE",
        "deploy_stack_id": "stack/9b2c1a52-6a7f-4f67-a1c4-5fd0a8a4c0de",
        "deploy_resource_name": f"deployment_{number}",
        "deploy_signal_transport": "ZAQAR_SIGNAL",
        "deploy_queue_id": f"stack-deployment_{number}-abcdefghijkl",
        "deploy_auth_url": "http://127.0.0.1:5000/v3/",
        "deploy_username": f"stack-deployment_{number}-abcdefghijkl",
        "deploy_user_id": "0123456789abcdef0123456789abcdef",
        "deploy_password": "not-a-password-that-opens-anything",
        "deploy_project_id": "fedcba9876543210fedcba9876543210",
        "deploy_region_name": "RegionOne",
        "foo": "bar",
    }
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"deployment_{number}",
        "group": "script",
        "creation_time": "2026-11-22T12:00:00Z",
        "config": "#!/bin/sh\n" + "echo a line of the script that this deployment runs\n" * 40,
        "inputs": [
            {"name": name, "type": "String", "value": value, "description": "", "default": ""}
            for name, value in inputs.items()
        ],
        "outputs": [{"name": "result", "type": "String", "error_output": False}],
        "options": {},
    }
