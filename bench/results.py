# SPDX-License-Identifier: Apache-2.0
"""The results' file: each value that was measured, and where and when; all else is made from it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench.figure import Figure, as_dict, from_dict
from bench.peer import CHECKOUT


class Results(NamedTuple):
    """One run."""

    date: str
    machine: str
    commit: str
    is_quick: bool
    seconds: float
    figures: tuple[Figure, ...]
    failed: tuple[str, ...]
    """Rows that could not be measured, with the reason."""


def write(path: Path, results: Results) -> None:
    """Write them."""
    found = {**results._asdict(), "figures": [as_dict(each) for each in results.figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> Results:
    """Read them."""
    found = json.loads(path.read_text())
    figures = tuple(map(from_dict, found["figures"]))
    return Results(**{**found, "figures": figures, "failed": tuple(found["failed"])})


def today() -> str:
    """The date, as it is in the file."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def machine() -> str:
    """What this is, in words."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}"
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    python = f"Python {platform.python_version()}"
    return f"{cores}, {pages / 1e9:.0f} GB, {system}, Linux {platform.release()}, {python}, {load}"


def commit() -> str:
    """Which version of ours is measured."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=CHECKOUT, capture_output=True, text=True
    )
    return described.stdout.strip() or "unknown"
