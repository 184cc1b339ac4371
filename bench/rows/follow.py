# SPDX-License-Identifier: Apache-2.0
"""How soon a line that a script prints is seen in ``openstack software deployment follow``.

With Heat's plug-in and our service: the script prints the time once a second, ``follow`` prints
that into a pipe. There is no peer: whoever wants to see a line with heat-agents logs in.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.figure import Figure, Goal, Sample
from bench.given import Given
from lab import Lab
from lab.stack import Heat
from tests.support.client import Client
from tests.support.server import HostServer
from tests.support.template import template

# Seconds, for the line that takes longest.
SOON = Goal(3.0)
NAME = "bench-follow"
_LINE = re.compile(r" \| printed at ([0-9.]+)$")


def measure(given: Given) -> Iterator[Figure]:
    """The seconds from each line's print to its sight, and those of the latest."""
    lines = given.either(10, 30)
    delays = _delays(given.plugged, given.folder / "follow", lines)
    if len(delays) != lines:
        raise RuntimeError(f"{len(delays)} of {lines} lines were seen")
    yield Figure("live output, from print to sight: a line", "s", Sample(tuple(delays)))
    latest = Sample((max(delays),))
    yield Figure("live output, from print to sight: the latest", "s", latest, goals=(SOON,))


def _delays(lab: Lab, folder: Path, lines: int) -> list[float]:
    heat = Heat(lab.environment())
    text = f'for i in $(seq {lines}); do echo "printed at $(date +%s.%N)"; sleep 1; done'
    prints = {"config": f"#!/bin/sh\n{text}\n"}
    made = template(
        server_transport="AUTO", signal_transport="AUTO", deployments={"prints": prints}
    )
    made["resources"]["prints_deployment"]["properties"]["progress"] = True
    server, stack = HostServer(folder / "server"), heat.create(NAME, made)
    server.boot(stack.wait_for_server())
    following = Client(lab, folder / "client").popen("software", "deployment", "follow", stack.id)
    try:
        with server.in_service():
            found = list(_seen(following.stdout or ()))
    finally:
        following.kill()
        following.communicate()
        stack.delete()
    return found


def _seen(lines: Iterable[str]) -> Iterator[float]:
    for line in lines:
        if printed := _LINE.search(line):
            yield time.time() - float(printed[1])
