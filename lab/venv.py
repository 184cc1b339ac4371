# SPDX-License-Identifier: Apache-2.0
"""The services' Python environment: one virtual environment with every package pinned."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .command import run
from .errors import LabError

CHECKOUT = Path(__file__).resolve().parent.parent
CACHE = CHECKOUT / ".cache"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
VENV = CACHE / "venv-lab"

# The services' oldest Python is the agent's oldest plus one: the pins need 3.11.
OLDEST_PYTHON = (3, 11)


def python(folder: Path = VENV) -> Path:
    """Return the environment's interpreter, whether it is installed or not."""
    return folder / "bin" / "python"


def key(requirements: Path | None = None) -> str:
    """Return what the environment is made from, so that a change of it is noticed.

    Not the interpreter that runs the lab: tests run it by another than a person at a shell,
    and the one must not replace the environment under the other's running services.
    """
    return hashlib.sha256((requirements or REQUIREMENTS).read_bytes()).hexdigest()[:16]


def install(folder: Path = VENV, requirements: Path | None = None) -> bool:
    """Create an environment unless it is there already; say whether it had to be made."""
    wanted = requirements or REQUIREMENTS
    own, marker = python(folder), folder / "lab-key"
    with locked(CACHE / f"{folder.name}.lock"):
        found = marker.read_text() if marker.is_file() and own.exists() else ""
        if found == key(wanted):
            return False
        if found:
            # Complete, and of other versions: changed in place, since a lab may run from it.
            marker.unlink()
        else:
            shutil.rmtree(folder, ignore_errors=True)
            run([base_python(), "-m", "venv", folder])
        # Every package is in the list, so there is nothing to resolve: --no-deps is faster,
        # and a package that is missing from the list shows in `pip check`.
        run([own, "-m", "pip", "install", "--quiet", "--no-deps", "-r", wanted])
        run([own, "-m", "pip", "check"])
        marker.write_text(key(wanted))
    return True


def add(requirements: Path) -> bool:
    """Install more into the lab's own environment, unless it is there; say whether it was not."""
    marker = VENV / f"lab-key-{requirements.stem}"
    with locked(CACHE / f"{VENV.name}.lock"):
        if marker.is_file() and marker.read_text() == key(requirements):
            return False
        run([python(), "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements])
        run([python(), "-m", "pip", "check"])
        marker.write_text(key(requirements))
    return True


def base_python() -> str:
    """Return the interpreter to make the environment with: this one if it is new enough."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        # Not the environment's own python, which is about to be removed.
        return str(getattr(sys, "_base_executable", sys.executable))
    found = shutil.which("python3.11")
    if not found:
        raise LabError(
            "the lab's services need Python 3.11 or newer",
            hint="install it, or run the lab with it: python3.11 -m lab up",
        )
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that two labs in one checkout share; the kernel drops it with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
