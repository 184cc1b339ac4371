# SPDX-License-Identifier: Apache-2.0
"""Build an image, boot it, and let Heat configure the server over Zaqar.

Run by ``make demo``, with the Python of the lab's environment, which has
python-heatclient. The exit status is 0 only if CREATE and UPDATE gave the right
output values.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from demo import timeline
from demo.timeline import Event
from lab import Lab, LabError
from lab.image import build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server
from lab.stack import Heat, Stack

NAME = "demo"
TEMPLATE = Path(__file__).with_name("stack.yaml")
EXPECTED = {"CREATE": "Hello, world! Hello, world! ", "UPDATE": "Hello, Zaqar! Hello, Zaqar! "}

LOOK_AROUND = """
The lab and the server are up. To look around:
    eval "$(python3 -m lab env)"
    .cache/venv-lab/bin/openstack stack list
    .cache/venv-lab/bin/openstack stack show {name}
    python3 -m lab logs heat
    python3 -m lab.server shell --name {name}        # a shell in the server
    python3 -m lab.server journal --name {name}      # its journal
To take them down:
    python3 -m lab.server stop --name {name}; python3 -m lab down
"""


def main() -> int:
    """Run the demo; return the exit status."""
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--keep", action="store_true", help="leave the lab and the server up")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        root = prepare_image()
        faults = run(root, keep=options.keep)
    except (LabError, TimeoutError) as error:
        print(f"\nmake demo: FAILED: {error}", file=sys.stderr)
        return 1
    if options.keep:
        print(LOOK_AROUND.format(name=NAME))
    for fault in faults:
        print(f"    {fault}", file=sys.stderr)
    verdict = "FAILED" if faults else "the stack was created and updated over Zaqar, as it should"
    print(f"make demo: {verdict} ({time.monotonic() - started:.0f} s)")
    return 1 if faults else 0


def prepare_image() -> Path:
    """Build the image unless it is there; return its unpacked root."""
    print("==> Image")
    tar = build_tar(progress=lambda text: print(f"    {text}"))
    print(f"    {tar} ({tar.stat().st_size / 1e6:.0f} MB)")
    return unpack(tar)


def run(root: Path, *, keep: bool) -> list[str]:
    """Bring the control plane up and do the demo's work; return what went wrong."""
    print("==> Control plane")
    clear()
    lab = Lab(say=lambda text: print(f"  {text}"))
    lab.up(dies_with_parent=not keep)
    try:
        return work(lab, root, keep=keep)
    finally:
        if not keep:
            lab.down()


def clear() -> None:
    """Stop what an earlier demo has kept."""
    try:
        Server.find(NAME).stop()
    except LabError:
        return


def work(lab: Lab, root: Path, *, keep: bool) -> list[str]:
    """Create, update and delete the stack; return what went wrong."""
    heat = Heat(lab.environment())
    heat.delete(NAME)
    template = yaml.safe_load(TEMPLATE.read_text())

    print("==> CREATE")
    begun = timeline.now("stack CREATE asked for")
    stack = heat.create(NAME, template, who="world")
    server = Server(root, files=boot_files(stack.wait_for_server()), name=NAME, keep=keep)
    booted = timeline.now("server boots")
    with server:
        faults = finish(stack, server, "CREATE", [begun, booted])
        print("==> UPDATE")
        begun = timeline.now("stack UPDATE asked for")
        stack.update(template, who="Zaqar")
        faults += finish(stack, server, "UPDATE", [begun])
        if not keep:
            print("==> DELETE")
            stack.delete()
            print("    the stack is gone")
    return faults


def boot_files(os_collect_config: dict[str, Any]) -> list[File]:
    """What Nova's user data would have put into the server.

    Heat tells the server to ask Nova's metadata service too, for servers that
    Nova has booted; this one reads the file alone and then goes on with Zaqar.
    """
    data = {"deployments": [], "os-collect-config": os_collect_config}
    return [BOOT_CONFIG, File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data))]


def finish(stack: Stack, server: Server, action: str, events: list[Event]) -> list[str]:
    """Wait until an action has ended and show what happened; return what went wrong."""
    ended = stack.wait(action)
    events.append(timeline.now(f"stack {action}_{ended}"))
    events += timeline.from_journal(server.journal(output="json"), since=events[0].time)
    timeline.show(events)
    if ended != "COMPLETE":
        return [f"{action}: {stack.reason}", *server.journal().splitlines()[-40:]]
    message = stack.output("message")
    print(f"    output message: {message!r}")
    print(f"    output stdout:  {stack.output('stdout')!r}")
    if message != EXPECTED[action]:
        return [f"{action}: the output is {message!r}, not {EXPECTED[action]!r}"]
    return []


if __name__ == "__main__":
    sys.exit(main())
