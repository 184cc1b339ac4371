# SPDX-License-Identifier: Apache-2.0
"""How long metadata takes from the post to the command, and what waiting for it costs.

    python3 bench/latency.py [--posts N] [--burst N] [--idle SECONDS]

On a lab of its own, with heat-config-collect as a service. Each figure is a line
``name: value unit``. Run with the Python of the tests, which has os-collect-config.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from heat_config import settings, signals
from heat_config.outbox import Entry
from heat_config.queue import Queue
from heat_config.result import from_dict
from heat_config.signals.keystone import User
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from lab.wire import Wire
from tests.functional.collecting import PROGRAM, Collecting, body, has_applied
from tests.functional.server import HostServer
from tests.functional.template import template

BURST_SIZE = 200_000
CHAIN = 10
SETTINGS = settings.load({"HEAT_CONFIG_SETTINGS": "/nonexistent"})
RESULT = {"deploy_stdout": "", "deploy_stderr": "", "deploy_status_code": 0}


def main() -> int:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description="From Heat's post to the command.")
    parser.add_argument("--posts", type=int, default=50, help="posts of each way (%(default)s)")
    parser.add_argument("--burst", type=int, default=1000, help="messages at once (%(default)s)")
    parser.add_argument("--idle", type=float, default=60, help="seconds to count (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder, "lab")) as lab:
        for way in ("websocket", "polling"):
            latency(lab, Path(folder, way), way, options.posts)
        chains(lab, Path(folder))
        idle(lab, Path(folder, "idle"), options.idle)
        burst(lab, Path(folder, "burst"), options.burst)
    return 0


@contextmanager
def service(collecting: Collecting, **options: object) -> Iterator[int]:
    """heat-config-collect, up; gives its pid."""
    program = collecting.start(**options)
    try:
        yield program.pid
    finally:
        program.kill()
        program.communicate()


def latency(lab: Lab, root: Path, way: str, posts: int) -> None:
    """From the post to the command's start, with os-collect-config's own intervals."""
    collecting = Collecting(lab, root)
    collecting.values["use_websockets"] = way == "websocket"
    collecting.command = f"date +%s.%N >> {root}/started && {collecting.command}"
    taken = []
    with service(collecting, min_polling_interval=1, polling_interval=30):
        for number in range(1, posts + 1):
            posted = time.time()
            collecting.post(body(number))
            wait_for("the change", lambda n=number: has_applied(collecting, n))  # type: ignore[misc]
            taken.append(float((root / "started").read_text().split()[-1]) - posted)
    show(f"post to command, {way}, median of {posts}", statistics.median(taken[1:]), "s")
    show(f"post to command, {way}, worst of {posts}", max(taken[1:]), "s")


def chains(lab: Lab, folder: Path) -> None:
    """A chain of dependent deployments: ours against a program that only answers."""
    heat = Heat(lab.environment())
    taken = {"floor": chain(heat, floor)}
    for way in ("websocket", "polling"):
        taken[way] = chain(heat, partial(ours, HostServer(folder / f"chain-{way}"), way))
    for name, seconds in taken.items():
        show(f"chain of {CHAIN}, {name}", seconds, "s")
    ratios = [f"chain/floor {way}: {taken[way] / taken['floor']:.2f}" for way in list(taken)[1:]]
    print(", ".join(ratios), flush=True)


def chain(heat: Heat, serve: Callable[[Stack, dict[str, Any]], None]) -> float:
    """Create the stack and return how many seconds that took."""
    names = [f"step{number}" for number in range(CHAIN)]
    made = template(
        server_transport="ZAQAR_MESSAGE",
        signal_transport="ZAQAR_SIGNAL",
        deployments={name: {"config": "#!/bin/sh\necho done"} for name in names},
    )
    for before, name in pairwise(names):
        made["resources"][f"{name}_deployment"]["depends_on"] = f"{before}_deployment"
    begun = time.monotonic()
    stack = heat.create(f"chain-{uuid.uuid4().hex[:8]}", made)
    serve(stack, stack.wait_for_server())
    taken = time.monotonic() - begun
    stack.delete()
    return taken


def ours(server: HostServer, way: str, stack: Stack, given: dict[str, Any]) -> None:
    """Serve the stack as an image's service does."""
    given["zaqar"]["use_websockets"] = way == "websocket"
    server.boot(given)
    more = server.root / "more.conf"
    more.write_text(
        f"[DEFAULT]\ncachedir = {server.root}/cache\nbackup_cachedir = {server.root}/backup\n"
        f"command = {server.root}/bin/refresh\n[local]\npath = {server.root}/local-data\n"
        f"[zaqar]\nuse_websockets = {way == 'websocket'}\n"
    )
    program = server.root / "bin/heat-config-collect"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o755)
    files: list[str | Path] = [
        "--config-file",
        server.root / "etc/os-collect-config.conf",
        "--config-file",
        more,
    ]
    with (server.root / "log").open("a") as log:
        running = subprocess.Popen(
            [program, *files], env=server._environment(), stdout=log, stderr=log
        )
    try:
        end(stack)
    finally:
        running.kill()
        running.wait()


def floor(stack: Stack, given: dict[str, Any]) -> None:
    """Answer each deployment when its metadata is there."""
    zaqar = given["zaqar"]
    user = User({f"deploy_{key}": value for key, value in zaqar.items()}, SETTINGS)
    queue = Queue(user, zaqar["queue_id"])
    answered: set[str] = set()

    def answer() -> None:
        for message in list(queue.messages()):
            for item in dict(message.body)["deployments"]:  # type: ignore[call-overload]
                if item["id"] not in answered:
                    values = {each["name"]: each["value"] for each in item["inputs"]}
                    entry = Entry(item["id"], values, RESULT, since=time.time())
                    signals.sender_for(entry, SETTINGS, Path("/")).send(from_dict(RESULT))
                    answered.add(item["id"])
            queue.delete([message.id])

    end(stack, answer)


def end(stack: Stack, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Wait for CREATE_COMPLETE."""
    if stack.wait("CREATE", meanwhile) != "COMPLETE":
        raise SystemExit(f"the stack failed: {stack.reason}")


def idle(lab: Lab, root: Path, seconds: float) -> None:
    """Requests while nothing happens, at the interval that an idle server comes to."""
    collecting = Collecting(lab, root)
    keystone = urlsplit(collecting.values["auth_url"])
    with Wire((str(keystone.hostname), int(keystone.port or 0))) as wire:
        collecting.values["auth_url"] = f"{wire.url}/v3/"
        collecting.post(body(1))
        with service(collecting, min_polling_interval=1, polling_interval=1) as pid:
            wait_for("the change", lambda: has_applied(collecting, 1))
            before = len(wire.history)
            memory = resident(pid)
            time.sleep(seconds)
            renewals = len(wire.history) - before
            show("requests to Keystone in an idle period", renewals, f"in {seconds:g} s")
            show("resident memory, polling", resident(pid), "MB")
            show("its growth", resident(pid) - memory, "MB")


def burst(lab: Lab, root: Path, messages: int) -> None:
    """Many large messages at once: only the newest has to be applied."""
    collecting = Collecting(lab, root)
    for number in range(messages):
        collecting.post({**body(number), "x": "x" * BURST_SIZE})
    begun = time.monotonic()
    with service(collecting) as pid:
        wait_for("the newest", lambda: has_applied(collecting, messages - 1))
        show(f"burst of {messages}, until the newest is applied", time.monotonic() - begun, "s")
        show(f"burst of {messages}, applied", len(collecting.applied()), "of them")
        show(f"burst of {messages}, resident memory at most", peak(pid), "MB")


def resident(pid: int) -> float:
    """A process's memory, in MB."""
    return _memory(pid, "VmRSS")


def peak(pid: int) -> float:
    """The most memory that a process has had, in MB."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(field))


def show(name: str, value: float, unit: str) -> None:
    """One figure."""
    print(f"{name}: {value:.2f} {unit}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
