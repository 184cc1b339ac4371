# SPDX-License-Identifier: Apache-2.0
"""What an image grows by: the environment of the agent and all that it needs.

Ours is that of the image that was built last, in .cache/image; the peer's is an environment with
os-collect-config, os-apply-config and the clients that heat-agents' elements install, without pip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure, Goal, sample
from bench.given import Given
from bench.peer import CHECKOUT
from bench.servers import environment_of_peer

VENV = "root/opt/stack/venvs/heat-config"
GOAL = Goal(30.0)


def measure(given: Given) -> Iterator[Figure]:  # noqa: ARG001 - there is nothing to choose
    """The sizes of the files, as they take room on a disk."""
    built = sorted(CHECKOUT.glob(f".cache/image/tar-*/{VENV}"), key=lambda it: it.stat().st_mtime)
    if not built:
        raise FileNotFoundError("no image was built here: make demo builds one")
    peer = environment_of_peer().parent
    yield Figure(
        "the agent's environment in an image",
        "MB",
        sample([_size(built[-1])]),
        sample([_size(peer)]),
        goals=(GOAL,),
    )


def _size(folder: Path) -> float:
    """MB of all files below it."""
    found = [path.lstat() for path in folder.rglob("*")]
    return sum(each.st_blocks for each in found) * 512 / 1e6
