# SPDX-License-Identifier: Apache-2.0
"""What a hook's output costs, in hook and agent together: 100 MB, and a million short lines.

The peer runs the same script; it keeps all of the output in memory. The floor is a process of
ours that reads the script's output by blocks and writes each to a file.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench.contenders import Agent, Cost, compared, one_run
from bench.figure import Figure, Goal
from bench.given import Given

LINES = 1_000_000
# Microseconds for a line.
A_LINE = Goal(3.0)
FLOOR = """
import subprocess, sys
child = subprocess.Popen(["/bin/sh", sys.argv[1]], stdout=subprocess.PIPE)
with open(sys.argv[2], "wb", buffering=0) as log:
    while block := child.stdout.read1(65536):
        log.write(block)
child.wait()
"""


class Case(NamedTuple):
    """What is written."""

    name: str
    script: str


SHORT = Case("1 million short lines", f"seq {LINES}\n")
# A secret that the agent looks for in all of it.
INPUTS = [{"name": "deploy_password", "value": "not-a-password-that-opens-anything"}]


def measure(given: Given) -> Iterator[Figure]:
    """The time for a line, the throughput's reciprocal, and the memory."""
    runs = given.either(1, 5)
    megabytes = given.either(20, 100)
    of_long = Case(f"{megabytes} MB", f"head -c {megabytes * 750_000} /dev/urandom | base64\n")
    short, long = (_costs(given, case, runs) for case in (SHORT, of_long))
    per_line = 1000 / LINES  # from milliseconds to microseconds
    yield _figure(f"{SHORT.name}, each: CPU", "µs", short, lambda it: it.cpu * per_line, A_LINE)
    yield _figure(f"{SHORT.name}, each: wall", "µs", short, lambda it: it.wall * per_line)
    yield _figure(f"{of_long.name}, each MB: CPU", "ms", long, lambda it: it.cpu / megabytes)
    yield _figure(f"{of_long.name}, each MB: wall", "ms", long, lambda it: it.wall / megabytes)
    yield _figure(f"{of_long.name}: largest process", "MB", long, lambda it: it.memory)


def _figure(
    name: str, unit: str, costs: dict[str, list[Cost]], of: Callable[[Cost], float], *goals: Goal
) -> Figure:
    return compared(f"hook's output, {name}", unit, costs, of, goals)


def _costs(given: Given, case: Case, runs: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {"ours": [], "peer": [], "floor": []}
    for number in range(runs):
        folder = given.folder / f"output-{case.name}-{number}"
        for name, agent in (("ours", given.ours), ("peer", given.peer)):
            costs[name].append(_run(agent, folder / name, case))
        costs["floor"].append(_floor(given.ours, folder, case))
        shutil.rmtree(folder)
    return costs


def _run(agent: Agent, folder: Path, case: Case) -> Cost:
    for name in ("deployed", "hooks", "outbox"):
        (folder / name).mkdir(parents=True)
    shutil.copy(agent.hook, folder / "hooks/script")
    (folder / "hooks/script").chmod(0o755)
    item = {
        "id": "config-1",
        "name": "deployment",
        "group": "script",
        "creation_time": "2026-11-22T12:00:00Z",
        "config": f"#!/bin/sh\n{case.script}",
        "inputs": INPUTS,
        "outputs": [],
        "options": {},
    }
    (folder / "heat-config").write_text(json.dumps([item]))
    cost = agent.run(folder)
    result = json.loads((folder / "deployed/config-1.notify.json").read_text())
    if result["deploy_status_code"] != 0:
        raise RuntimeError(f"the script has failed: {result['deploy_stderr'][-1000:]}")
    return cost


def _floor(agent: Agent, folder: Path, case: Case) -> Cost:
    script = folder / "floor.sh"
    script.write_text(case.script)
    command: list[str | Path] = [agent.python, "-c", FLOOR, script, folder / "floor.log"]
    return one_run(command, {"PATH": os.defpath})
