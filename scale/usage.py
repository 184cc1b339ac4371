# SPDX-License-Identifier: Apache-2.0
"""What the services have used and served, between two moments."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from lab import Lab
from scale.figures import requests

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage:
    """From now on."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._cpu = _cpu(lab)
        self._sizes = {name: path.stat().st_size for name, path in lab.logs.items()}

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU that each service has used; one that was started anew, since then."""
        now = _cpu(self._lab)
        used = {name: now[name] - self._cpu.get(name, 0) for name in now}
        return {name: now[name] if spent < 0 else spent for name, spent in used.items()}

    def requests(self, service: str) -> Counter[str]:
        """How many requests of which kind it has had."""
        with self._lab.logs[service].open(errors="replace") as file:
            file.seek(self._sizes[service])
            return requests(file)


def _cpu(lab: Lab) -> dict[str, float]:
    sessions = {state.pid: state.name for state in lab.status()}
    used = dict.fromkeys(sessions.values(), 0.0)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if name := sessions.get(int(fields[3])):
            used[name] += (int(fields[11]) + int(fields[12])) / _TICKS
    return used
