# SPDX-License-Identifier: Apache-2.0
"""What people run today, from the package index, in an environment of its own in .cache/bench."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
CACHE = CHECKOUT / ".cache" / "bench"
HEAT_AGENTS = "heat-agents==13.0.0"
# The versions of what both sides need are those of the tests.
VERSIONS = CHECKOUT / "tests/requirements.txt"


def make_venv(name: str) -> Path:
    """Make a virtual environment without pip, whose hooks would slow down each start."""
    venv = CACHE / f"venv-{name}"
    if not venv.exists():
        run([sys.executable, "-m", "venv", "--without-pip", venv])
    return venv


def pip(*arguments: str | Path) -> None:
    """Run a pip that is in neither environment."""
    tools = CACHE / "venv-tools"
    if not tools.exists():
        run([sys.executable, "-m", "venv", tools])
    run([tools / "bin/python", "-m", "pip", "-qq", *arguments])


def install(venv: Path, packages: Sequence[str]) -> None:
    """Install packages once, in the versions of the tests."""
    marker = venv / "installed"
    wanted = "\n".join(packages)
    if not marker.exists() or marker.read_text() != wanted:
        say(f"installing {', '.join(packages)}")
        pip("--python", venv / "bin/python", "install", "--constraint", VERSIONS, *packages)
        marker.write_text(wanted)


def elements() -> Path:
    """The folder of heat-agents' elements: they are in its source distribution alone."""
    unpacked = CACHE / HEAT_AGENTS.replace("==", "-").replace("heat-agents", "heat_agents")
    if not unpacked.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        say(f"getting {HEAT_AGENTS}")
        pip("download", "--no-deps", "--no-binary", "heat-agents", "--dest", CACHE, HEAT_AGENTS)
        run(["tar", "-C", CACHE, "-xzf", f"{unpacked}.tar.gz"])
    return unpacked


def tripleo_elements(version: str) -> Path:
    """The folder of the elements of tripleo-image-elements, as pip installs them."""
    home = CACHE / f"tripleo-image-elements-{version}"
    if not home.exists():
        say(f"getting tripleo-image-elements {version}")
        wanted = f"tripleo-image-elements=={version}"
        # A host's package: it is for whichever Python that has.
        pip("install", "--no-deps", "--ignore-requires-python", "--prefix", home, wanted)
    return home / "share" / "tripleo-image-elements"


def run(command: Sequence[str | Path]) -> None:
    """Run a command to its end."""
    subprocess.run(command, check=True)


def say(text: str) -> None:
    """Tell what takes time."""
    print(text, file=sys.stderr, flush=True)
