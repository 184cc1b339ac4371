# SPDX-License-Identifier: Apache-2.0
"""Control groups below the agent's own: a process that is started in one does not get out of it.

Neither setsid nor a second fork nor an empty environment changes a process's group. See
https://docs.kernel.org/admin-guide/cgroup-v2.html; version 1 serves as well, where systemd uses it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the names of our groups end with: no unit of systemd's does.
SUFFIX = ".heat-config"
# Where the hierarchies are in which systemd keeps its services, by their names in
# /proc/self/cgroup: version 2 beside version 1, version 2 alone, version 1 alone.
HIERARCHIES = (
    ("", "/sys/fs/cgroup/unified"),
    ("", "/sys/fs/cgroup"),
    ("name=systemd", "/sys/fs/cgroup/systemd"),
)
# How often a group is made and entered, since another agent may sweep it between the two.
TRIES = 5


def make(name: str) -> Path | None:
    """Make a group below the agent's own; None where that cannot be."""
    for home in _homes():
        group = _outside_of_ours(home) / f"{name}{SUFFIX}"
        with suppress(OSError):
            group.mkdir()
            return group
    return None


def noted(path: str, name: str) -> Path | None:
    """The group of this name that :func:`make` has made there, in this or another process."""
    group = Path(path)
    ours = group.name == f"{name}{SUFFIX}" and ".." not in group.parts
    return group if ours and _hierarchy(group) else None


@contextmanager
def entered(group: Path) -> Iterator[None]:
    """What is started within this is in the group from its first instruction.

    The agent goes in and comes back: a tenth of a millisecond. The other ways cost more. To
    enter between fork and exec needs a copy of the agent in place of a vfork (3 ms), and runs
    Python there while other threads hold locks; a shell in between (1 ms) would hide why the
    program cannot be started. Where the group cannot be entered it goes on outside.
    """
    home = next((each for each in _homes() if _hierarchy(each) == _hierarchy(group)), None)
    if home is None:
        yield
        return
    for _ in range(TRIES):
        with suppress(OSError):
            group.mkdir(exist_ok=True)  # another agent may have swept it, empty as it was
            _enter(group)
            break
    try:
        yield
    finally:
        with suppress(OSError):
            _enter(home)


def pids(group: Path) -> set[int]:
    """The living processes of a group, and of those that they have made below it."""
    found: set[int] = set()
    for folder, _, _ in os.walk(group):
        with suppress(OSError):
            found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
    return found - {0}  # a process that cannot be seen from here


def kill(group: Path) -> None:
    """Kill all of a group at once, where the kernel can (version 2, Linux 5.14)."""
    with suppress(OSError):
        _write(group / "cgroup.kill", b"1")


def remove(group: Path) -> None:
    """Remove a group, and those below it, unless something lives there."""
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()


def sweep(beside: Path) -> None:
    """Remove what has become empty beside a group: services that its runs had left have ended."""
    for group in beside.parent.glob(f"*{SUFFIX}"):
        if group != beside:
            remove(group)


def _homes() -> Iterator[Path]:
    """The agent's own group in each of the hierarchies.

    In some containers the name is another group's, or none at all: then its own pid is not there.
    """
    for line in _own_lines():
        _, name, path = line.split(":", 2)
        for hierarchy, root in HIERARCHIES:
            folder = Path(root, path.lstrip("/"))
            if name == hierarchy and os.getpid() in _listed(folder):
                yield folder


def _own_lines() -> list[str]:
    try:
        return Path("/proc/self/cgroup").read_text().splitlines()[::-1]  # version 2 is the last
    except OSError:
        return []


def _listed(folder: Path) -> set[int]:
    try:
        return set(map(int, Path(folder, "cgroup.procs").read_text().split()))
    except OSError:
        return set()


def _hierarchy(path: Path) -> str:
    """The root of the hierarchy that a group is in."""
    return next((root for _, root in HIERARCHIES if path.is_relative_to(root)), "")


def _outside_of_ours(home: Path) -> Path:
    """The group itself, or the one around ours: an agent may be started by what a run left."""
    ours = [each for each in (home, *home.parents) if each.name.endswith(SUFFIX)]
    return ours[-1].parent if ours else home


def _enter(group: Path) -> None:
    _write(group / "cgroup.procs", b"0")


def _write(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # never makes a file
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)
