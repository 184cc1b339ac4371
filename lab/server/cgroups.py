# SPDX-License-Identifier: Apache-2.0
"""The control groups that a container's systemd gets to manage."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
SYSTEMD = Path("/run/systemd/system")


def for_machine(machine: str) -> list[Path]:
    """Return the folders of a machine's own groups, below those of this process.

    None where this machine runs systemd itself: it makes a scope for the container then.
    """
    if SYSTEMD.exists():
        return []
    text = Path("/proc/self/cgroup").read_text()
    return [group / machine for group in own_groups(text)]


def own_groups(text: str) -> list[Path]:
    """Return a process's groups in the hierarchies that a systemd wants to manage.

    `text`: its /proc/PID/cgroup.
    """
    unified = ROOT / "unified" if (ROOT / "unified").exists() else ROOT
    folders = {"": unified, "name=systemd": ROOT / "systemd"}
    fields = [line.split(":", 2) for line in text.splitlines()]
    return [folders[kind] / path.lstrip("/") for _, kind, path in fields if kind in folders]
