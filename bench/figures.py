# SPDX-License-Identifier: Apache-2.0
"""How figures are printed, and a process's memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median


def show(name: str, value: float, unit: str) -> None:
    """One figure."""
    print(f"{name}: {value:.2f} {unit}", flush=True)


def show_all(name: str, values: Sequence[float], unit: str) -> None:
    """The median and the worst of several."""
    show(f"{name}, median of {len(values)}", median(values), unit)
    show(f"{name}, worst of {len(values)}", max(values), unit)


def resident(pid: int) -> float:
    """A process's memory, in MB."""
    return _memory(pid, "VmRSS")


def peak(pid: int) -> float:
    """The most memory that a process has had, in MB."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    # The kernel's kB are 1024 bytes.
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field))
