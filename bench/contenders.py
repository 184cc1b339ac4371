# SPDX-License-Identifier: Apache-2.0
"""The two agents, each installed as into an image, and how much one run of a program takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.figure import Figure, Goal, sample
from bench.peer import CACHE, CHECKOUT, elements, install, make_venv, pip, say

SCRIPT = "os-refresh-config/configure.d/55-heat-config"
HOOK_OF_PEER = "heat-config-script/install.d/hook-script.py"
STARTER = Path(__file__).with_name("starter.py")
# What the peer's elements install beside their files, as far as these rows need it.
PEER_NEEDS = ("PyYAML",)


class Cost(NamedTuple):
    """What one run has taken, with all that it has started."""

    wall: float
    """Milliseconds."""
    cpu: float
    """Milliseconds."""
    memory: float
    """The most that one process of it has had resident, in MB."""


def places(folder: Path) -> dict[str, str]:
    """Where an agent has everything below this folder, as its environment says."""
    return {
        "HEAT_SHELL_CONFIG": str(folder / "heat-config"),
        "HEAT_CONFIG_DEPLOYED": str(folder / "deployed"),
        "HEAT_CONFIG_DEPLOYED_OLD": str(folder / "deployed-old"),
        "HEAT_CONFIG_OUTBOX": str(folder / "outbox"),
        "HEAT_CONFIG_LOGS": str(folder / "logs"),
        "HEAT_CONFIG_HOOKS": str(folder / "hooks"),
        "HEAT_CONFIG_SETTINGS": os.devnull,
    }


class Agent(NamedTuple):
    """One of the two."""

    program: Path
    """55-heat-config, as it is installed."""
    python: Path
    """The interpreter of its environment."""
    hook: Path
    """Its program for the group ``script``."""
    says: str
    """What its log says of a run with nothing to do."""
    variables: Mapping[str, str] = {}
    """What its environment must hold besides."""

    def environment(self, folder: Path) -> dict[str, str]:
        """The environment of a server below this folder."""
        return {
            "PATH": f"{self.python.parent}:{os.defpath}",
            **places(folder),
            "HEAT_SCRIPT_WORKING": str(folder / "working"),
            "HEAT_SCRIPT_OUTPUTS": str(folder / "outputs"),
            **self.variables,
        }

    def run(self, folder: Path) -> Cost:
        """One run on the server below this folder."""
        return one_run([self.program], self.environment(folder))


def ours() -> Agent:
    """This checkout, installed as into an image."""
    venv = make_venv("ours")
    say("installing this checkout")
    pip("--python", venv / "bin/python", "install", CHECKOUT)
    # A second time for its own files alone: the version stays the same while one works on it.
    pip("--python", venv / "bin/python", "install", "--force-reinstall", "--no-deps", CHECKOUT)
    # An image leaves it out (heat-config-venv/left-out): it slows down each start too.
    pip("--python", venv / "bin/python", "uninstall", "--yes", "setuptools")
    text = (CHECKOUT / "elements/heat-config" / SCRIPT).read_text()
    program = _program(
        "55-heat-config", text.replace("heat-config run", f"{venv}/bin/heat-config run")
    )
    script = (CHECKOUT / "hooks/script.py").read_text()
    hook = _program("script", script.replace("/usr/bin/env python3", f"{venv}/bin/python", 1))
    return Agent(program, venv / "bin/python", hook, "deployments, nothing to do")


def peer() -> Agent:
    """heat-agents' elements, from their source distribution."""
    venv = make_venv("peer")
    install(venv, PEER_NEEDS)
    return _peer(venv / "bin/python")


def _peer(python: Path) -> Agent:
    files = elements()
    notify = files / "heat-config/bin/heat-config-notify"
    program, hook = files / "heat-config" / SCRIPT, files / HOOK_OF_PEER
    for each in (program, hook, notify):
        each.chmod(0o755)
    # They begin with /usr/bin/env python3.
    variables = {"HEAT_CONFIG_NOTIFY": str(notify)}
    return Agent(program, python, hook, "already deployed", variables)


def one_run(command: list[str | Path], environment: Mapping[str, str]) -> Cost:
    """Run a program whose output nobody reads, and wait for it and its usage.

    The usage is that of its children, too.
    """
    told = json.dumps([[str(each) for each in command], dict(environment)])
    starter: list[str | Path] = [sys.executable, "-I", "-S", STARTER]
    done = subprocess.run(starter, input=told, capture_output=True, text=True, check=True)
    status, wall, cpu, memory = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"{command[0]} ended with {status}")
    # The kernel's kB are 1024 bytes.
    return Cost(wall * 1000, cpu * 1000, memory * 1024 / 1e6)


def said_by(command: Path, environment: Mapping[str, str]) -> str:
    """Run a program once and return what it has logged."""
    done = subprocess.run([command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} does not do what is measured here:\n{done.stdout}{done.stderr}")
    return done.stderr


def compared(
    name: str,
    unit: str,
    costs: Mapping[str, Sequence[Cost]],
    of: Callable[[Cost], float],
    goals: tuple[Goal, ...] = (),
) -> Figure:
    """One figure of what runs have taken, by contender."""
    found = {each: sample(map(of, taken)) for each, taken in costs.items()}
    return Figure(name, unit, found["ours"], found.get("peer"), found.get("floor"), goals)


def _program(name: str, text: str) -> Path:
    path = CACHE / name
    path.write_text(text)
    path.chmod(0o755)
    return path
