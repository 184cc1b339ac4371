# SPDX-License-Identifier: Apache-2.0
"""What a run with nothing to do costs: ours against that of heat-agents 13.0.0.

    python3 -m bench.idle [--pairs N]

Both get the same file of 20 deployments that are all done. Their runs alternate
in one process of measurement, each as an image has it: 55-heat-config, in a
virtual environment without pip, with bytecode. The peer comes from the package
index; all of it lies in .cache/bench. Then ours alone, with 1 and with 500
deployments. The exit status is 1 when ours is slower than the peer, or when 500
take more than 1.5 times as long as 1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.peer import CACHE, CHECKOUT, elements, install, make_venv, pip, say

SCRIPT = "os-refresh-config/configure.d/55-heat-config"
# What the peer's elements install beside it, as far as this script needs it.
PEER_NEEDS = ("PyYAML",)
DEPLOYMENTS = 20
FEW, MANY = 1, 500
# How many times as long the many may take.
GROWTH = 1.5
WARM_UP = 5


class Cost(NamedTuple):
    """What one run has taken, in milliseconds."""

    wall: float
    cpu: float


class Contender(NamedTuple):
    """One of the two: a program, and how a line of its log shows that it did what it should."""

    name: str
    program: Path
    path: str
    says: str


class Case(NamedTuple):
    """What is measured: a contender on a server, which the variables say."""

    name: str
    contender: Contender
    variables: Mapping[str, str]


def main() -> int:
    """Measure both and print the figures."""
    parser = argparse.ArgumentParser(description="A run with nothing to do, ours and the peer's.")
    parser.add_argument("--pairs", type=int, default=40, help="runs of each (default: %(default)s)")
    pairs = parser.parse_args().pairs
    CACHE.mkdir(parents=True, exist_ok=True)
    variables = prepare(CACHE / "server", DEPLOYMENTS)
    own, other = ours(), peer()
    costs = measure([Case("ours", own, variables), Case("peer", other, variables)], pairs)
    cases = [
        Case(f"{count} known", own, prepare(CACHE / f"server-{count}", count))
        for count in (FEW, MANY)
    ]
    few, many = measure(cases, pairs).values()
    print(f"ours/peer: {ratios(costs['ours'], costs['peer'])}")
    print(f"{MANY} known/{FEW} known: {ratios(many, few)}")
    is_quick = worst_ratio(costs["ours"], costs["peer"]) <= 1 and worst_ratio(many, few) <= GROWTH
    return 0 if is_quick else 1


def ours() -> Contender:
    """This checkout, installed as into an image."""
    venv = make_venv("ours")
    say("installing this checkout")
    pip("--python", venv / "bin/python", "install", CHECKOUT)
    # A second time for its own files alone: the version stays the same while one works on it.
    pip("--python", venv / "bin/python", "install", "--force-reinstall", "--no-deps", CHECKOUT)
    # An image leaves it out (heat-config-venv/left-out): it slows down each start too.
    pip("--python", venv / "bin/python", "uninstall", "--yes", "setuptools")
    text = (CHECKOUT / "elements/heat-config" / SCRIPT).read_text()
    program = CACHE / "55-heat-config"
    program.write_text(text.replace("heat-config run", f"{venv / 'bin/heat-config'} run"))
    program.chmod(0o755)
    return Contender("ours", program, os.defpath, "deployments, nothing to do")


def peer() -> Contender:
    """heat-agents' element, from its source distribution."""
    venv = make_venv("peer")
    install(venv, PEER_NEEDS)
    program = elements() / "heat-config" / SCRIPT
    program.chmod(0o755)
    # It begins with /usr/bin/env python3.
    path = f"{venv / 'bin'}:{os.defpath}"
    return Contender("peer", program, path, "already deployed")


def prepare(folder: Path, count: int) -> dict[str, str]:
    """Make a server on which so much is done; return the variables that say where it is."""
    deployed = folder / "deployed"
    for path in (deployed, folder / "outbox"):
        path.mkdir(parents=True, exist_ok=True)
    items = [deployment(number) for number in range(count)]
    for item in items:
        (deployed / f"{item['id']}.json").write_text(json.dumps(item, indent=2))
        result = {"deploy_stdout": "done\n", "deploy_stderr": "", "deploy_status_code": 0}
        (deployed / f"{item['id']}.notify.json").write_text(json.dumps(result, indent=2))
    config = folder / "heat-config"
    config.write_text(json.dumps(items))
    config.chmod(0o600)
    return {
        "HEAT_SHELL_CONFIG": str(config),
        "HEAT_CONFIG_DEPLOYED": str(deployed),
        "HEAT_CONFIG_DEPLOYED_OLD": str(folder / "deployed-old"),
        "HEAT_CONFIG_OUTBOX": str(folder / "outbox"),
        "HEAT_CONFIG_LOGS": str(folder / "logs"),
        "HEAT_CONFIG_HOOKS": str(folder / "hooks"),
    }


def deployment(number: int) -> dict[str, Any]:
    """One item of the metadata as Heat writes it, with a script of 2 KB."""
    identifier = f"00000000-0000-4000-8000-{number:012}"
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
        "id": identifier,
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


def check(case: Case) -> None:
    """Run it once and see that it took all deployments for done."""
    environment = {**case.variables, "PATH": case.contender.path}
    done = subprocess.run(
        [case.contender.program], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode or case.contender.says not in done.stderr:
        sys.exit(f"{case.name} does not do what is measured here:\n{done.stdout}{done.stderr}")


def measure(cases: Sequence[Case], pairs: int) -> dict[str, list[Cost]]:
    """Run them in turns, each first as often as the others, and print what they cost."""
    for case in cases:
        check(case)
    costs: dict[str, list[Cost]] = {case.name: [] for case in cases}
    for number in range(WARM_UP + pairs):
        for case in cases[:: 1 if number % 2 else -1]:
            environment = {**case.variables, "PATH": case.contender.path}
            cost = one_run(case.contender.program, environment)
            if number >= WARM_UP:
                costs[case.name].append(cost)
    for name, each in costs.items():
        print(f"{name:9}  wall {summary([cost.wall for cost in each])}", end="   ")
        print(f"cpu {summary([cost.cpu for cost in each])}")
    return costs


def one_run(program: Path, environment: Mapping[str, str]) -> Cost:
    """Run a program and wait for it and its usage, which is that of its children too."""
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    begun = time.perf_counter()
    pid = os.posix_spawn(program, [str(program)], environment, file_actions=nothing)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    if status:
        sys.exit(f"{program} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def ratios(ones: Sequence[Cost], others: Sequence[Cost]) -> str:
    """How the medians compare, in words."""
    return "wall {:.2f}, cpu {:.2f}".format(*_ratios(ones, others))


def worst_ratio(ones: Sequence[Cost], others: Sequence[Cost]) -> float:
    """The larger of the two ratios, of wall clock and of processor."""
    return max(_ratios(ones, others))


def _ratios(ones: Sequence[Cost], others: Sequence[Cost]) -> list[float]:
    pairs = zip(zip(*ones, strict=True), zip(*others, strict=True), strict=True)
    return [statistics.median(one) / statistics.median(other) for one, other in pairs]


def summary(values: Sequence[float]) -> str:
    """Median, least and most, in milliseconds."""
    return (
        f"median {statistics.median(values):6.1f} ms"
        f" (min {min(values):6.1f}, max {max(values):6.1f})"
    )


if __name__ == "__main__":
    sys.exit(main())
