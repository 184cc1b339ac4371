# SPDX-License-Identifier: Apache-2.0
"""How soon a line that a script has printed is seen in ``openstack software deployment follow``.

    python3 -m bench.follow [--lines N]

On a lab of its own, with Heat's plug-in and our service: the script prints the time, once a second,
and ``follow`` prints that into a pipe.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.figures import show_all
from lab import Lab
from lab.stack import Heat
from tests.support.client import Client
from tests.support.server import HostServer
from tests.support.template import template

NAME = "bench-follow"
_LINE = re.compile(r" \| printed at ([0-9.]+)$")


def measure(lab: Lab, folder: Path, lines: int) -> list[float]:
    """Seconds from each line's print to its sight. ``lab``: one whose Heat has the plug-in."""
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
            found = list(_delays(following.stdout or ()))
    finally:
        following.kill()
        following.communicate()
        stack.delete()
    return found


def _delays(lines: Iterable[str]) -> Iterator[float]:
    for line in lines:
        if printed := _LINE.search(line):
            yield time.time() - float(printed[1])


def main() -> int:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description="From a script's print to the operator's eyes.")
    parser.add_argument("--lines", type=int, default=20, help="lines (%(default)s)")
    options = parser.parse_args()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Lab(folder / "lab", plugin=True, say=lambda _: None) as lab:
            delays = measure(lab, folder, options.lines)
    show_all("a line, from printed to seen by follow", delays, "s")
    return 0 if len(delays) == options.lines else 1


if __name__ == "__main__":
    sys.exit(main())
