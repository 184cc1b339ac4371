# SPDX-License-Identifier: Apache-2.0
"""Build an image, boot it, and let Heat configure the server over Zaqar; then so with the plug-in.

Both stacks are of one template, on one Heat. The second one asks for the plug-in in its environment
and for AUTO in its parameters, and its server then holds no password.

Run by ``make demo``, with the Python of the lab's environment, which has
python-heatclient. The exit status is 0 only if CREATE and UPDATE gave the right
output values and the second server holds no password.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from demo import passwords, steps
from demo.steps import Event
from heat_operator import drawing, history, picture
from lab import Lab, LabError, venv
from lab.image import build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server
from lab.stack import Heat, Stack

TEMPLATE = Path(__file__).with_name("stack.yaml")
OPT_IN = Path(__file__).parents[1] / "heat_plugin/share/environment.d/heat-config.yaml"
PICTURES = venv.CACHE / "demo"
WIDTH = 96
EXPECTED = {"CREATE": "Hello, world! Hello, world! ", "UPDATE": "Hello, Zaqar! Hello, Zaqar! "}

LOOK_AROUND = """
The lab and the servers are up. To look around:
    eval "$(python3 -m lab env)"
    .cache/venv-lab/bin/openstack stack list
    .cache/venv-lab/bin/openstack stack show demo
    python3 -m lab logs heat
    python3 -m lab.server shell --name demo          # a shell in the server
    python3 -m lab.server journal --name demo        # its journal
So with demo-plugin. To take them down:
    for name in demo demo-plugin; do python3 -m lab.server stop --name $name; done
    python3 -m lab down
"""


class Half(NamedTuple):
    """One of the two stacks, which has its server's name."""

    name: str
    title: str
    parameters: dict[str, Any]
    opts_in: bool
    """Whether its environment asks for the plug-in's types."""


HALVES = (
    Half("demo", "Heat alone: ZAQAR_MESSAGE in, ZAQAR_SIGNAL out", {}, False),
    Half("demo-plugin", "The plug-in: AUTO", {"way_in": "AUTO", "way_out": "AUTO"}, True),
)


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
        print(LOOK_AROUND)
    for fault in faults:
        print(f"    {fault}", file=sys.stderr)
    verdict = "FAILED" if faults else "both stacks were created and updated over Zaqar"
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
    lab = Lab(plugin=True, for_all=False, say=lambda text: print(f"  {text}"))
    lab.up(dies_with_parent=not keep)
    try:
        heat = Heat(lab.environment())
        return [fault for half in HALVES for fault in work(heat, root, half, keep=keep)]
    finally:
        if not keep:
            lab.down()


def clear() -> None:
    """Stop what an earlier demo has kept."""
    for half in HALVES:
        with suppress(LabError):
            Server.find(half.name).stop()


def work(heat: Heat, root: Path, half: Half, *, keep: bool) -> list[str]:
    """Create, update and delete a stack; return what went wrong."""
    template = yaml.safe_load(TEMPLATE.read_text())
    environment = yaml.safe_load(OPT_IN.read_text()) if half.opts_in else None

    print(f"==> {half.title}: CREATE")
    begun = steps.now("stack CREATE asked for")
    stack = heat.create(
        half.name, template, environment=environment, who="world", **half.parameters
    )
    server = Server(root, files=boot_files(stack.wait_for_server()), name=half.name, keep=keep)
    booted = steps.now("server boots")
    with server:
        faults = finish(stack, server, "CREATE", [begun, booted])
        draw(heat, half.name, "create")
        print(f"==> {half.title}: UPDATE")
        begun = steps.now("stack UPDATE asked for")
        stack.update(template, environment=environment, who="Zaqar", **half.parameters)
        faults += finish(stack, server, "UPDATE", [begun])
        draw(heat, half.name, "update")
        faults += hold(server, half)
        if not keep:
            print(f"==> {half.title}: DELETE")
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
    events.append(steps.now(f"stack {action}_{ended}"))
    events += steps.from_journal(server.journal(output="json"), since=events[0].time)
    steps.show(events)
    if ended != "COMPLETE":
        return [f"{action}: {stack.reason}", *server.journal().splitlines()[-40:]]
    message = stack.output("message")
    print(f"    output message: {message!r}")
    print(f"    output stdout:  {stack.output('stdout')!r}")
    if message != EXPECTED[action]:
        return [f"{action}: the output is {message!r}, not {EXPECTED[action]!r}"]
    return []


def draw(heat: Heat, name: str, action: str) -> None:
    """Show where the stack's time went, as ``openstack software deployment timeline`` does."""
    found = history.timeline(heat.api, name)
    print(textwrap.indent(drawing.text(found, WIDTH), "    "))
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}-{action}.svg"
    path.write_text(picture.svg(found), encoding="utf-8")
    print(f"    as a picture: {path}")


def hold(server: Server, half: Half) -> list[str]:
    """Show which files of the server hold a password; return what went wrong."""
    print("    files of the server that hold a password:")
    found = passwords.held(server)
    for path in found or ["none"]:
        print(f"        {path}")
    return [f"{half.name}: the server holds a password"] if found and half.opts_in else []


if __name__ == "__main__":
    sys.exit(main())
