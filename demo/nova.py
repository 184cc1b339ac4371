# SPDX-License-Identifier: Apache-2.0
"""Boot the image on a real Nova, and let Heat configure the server over Zaqar, all its life long.

Run by ``make demo-nova``, with the Python of the lab's environment. Nothing is written into the
server: Heat's user data, on Nova's configuration drive, are read by the image's own cloud-init. The
exit status is 0 only if each action gave what it should.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import yaml
from heatclient import exc

from demo import steps
from demo.console import Console
from lab import LabError
from lab.control_plane import Lab
from lab.identity import request
from lab.image import build_file_system
from lab.nova import cloud, contents, space
from lab.stack import Heat, Stack, wait_for
from lab.venv import CACHE

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "nova.yaml"
OPT_IN = FOLDER.parent / "heat_plugin/share/environment.d/heat-config.yaml"
DIRECTORY = CACHE / "lab-nova"
USER_DATA = "the server's own user data"
# Seconds and minutes: an emulated processor is slow, and others may use the machine.
PATIENCE, MINUTES = 900.0, 20
# Seconds between two looks: who asks Heat and Nova more often takes the servers' processors.
PACE = 1.0


class Half(NamedTuple):
    """One of the two stacks."""

    name: str
    title: str
    parameters: dict[str, Any]
    environment: dict[str, Any] | None
    credential: str
    """What opens the server's queue to it."""


HALVES = (
    Half("nova", "Heat alone: ZAQAR_MESSAGE in, ZAQAR_SIGNAL out", {}, None, "password"),
    Half(
        "nova-plugin",
        "The plug-in: AUTO",
        {"transport": "AUTO", "signal": "AUTO"},
        yaml.safe_load(OPT_IN.read_text()),
        "signed_address",
    ),
)


class FailedError(Exception):
    """Something is not as it should be; the message says what."""


def main() -> int:
    """Run the demo; return the exit status."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        if not space.is_inside():
            started = time.monotonic()
            prepare_image()
            space.enter(["-m", "demo.nova", str(started)])
        space.begin()
        run()
    except (LabError, TimeoutError, FailedError) as error:
        print(f"\nmake demo-nova: FAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake demo-nova: stopped", file=sys.stderr)
        return 130
    print(
        "make demo-nova: both servers were configured over Zaqar, from their boot to their deletion"
        f" ({time.monotonic() - float(sys.argv[1]):.0f} s)"
    )
    return 0


def prepare_image() -> None:
    """Build the image, and take its kernel out, unless that is done."""
    print("==> Image")
    image = build_file_system(progress=lambda text: print(f"    {text}", flush=True))
    contents.boot_files(image)
    print(f"    {image} ({image.stat().st_size / 1e6:.0f} MB)", flush=True)


def run() -> None:
    """Bring the cloud up and do the demo's work."""
    image = build_file_system(progress=lambda _: None)
    print("==> Control plane, with a real Nova", flush=True)
    with cloud.up(DIRECTORY, image, lambda text: print(f"  {text}", flush=True)) as lab:
        live_at_once([Demo(lab, half) for half in HALVES])


def live_at_once(demos: Sequence[Demo]) -> None:
    """Let each have its thread, until all have ended or one has failed: most is a server's waiting.

    :raises FailedError: one has.
    """
    outcomes: Queue[Exception | None] = Queue()

    def live(demo: Demo) -> None:
        outcome: Exception | None = None
        try:
            demo.live()
        except Exception as error:
            outcome = error
        outcomes.put(outcome)

    for demo in demos:
        # Who stops the program does not wait for them.
        threading.Thread(target=live, args=(demo,), daemon=True).start()
    for _ in demos:
        if error := outcomes.get():
            raise error


class Demo:
    """One stack's life."""

    def __init__(self, lab: Lab, half: Half) -> None:
        self._lab = lab
        self._half = half
        self._heat = Heat(lab.environment())
        self._console = Console(lab.directory / "data/nova/instances")
        self._stack: Stack | None = None
        # What the current step, and the action in it, have shown.
        self._said: list[str] = []
        self._events: list[steps.Event] = []

    def live(self) -> None:
        """Do all of it; show the console's end when something fails.

        :raises FailedError: something did.
        """
        for title, step in (
            ("CREATE", self._create),
            ("UPDATE", self._update),
            ("SUSPEND", self._suspend),
            ("RESUME", self._resume),
            ("REBOOT in the middle of a hook", self._reboot),
            ("DELETE of the deployments", self._delete_deployments),
            ("DELETE", self._delete),
        ):
            self._do(f"{self._half.title}: {title}", step)

    def _do(self, title: str, step: Callable[[], None]) -> None:
        """Do a step; print what it says in one piece, since another stack's steps are done too."""
        self._said = [f"==> {title}"]
        try:
            step()
        except (FailedError, LabError, TimeoutError, exc.BaseException) as error:
            last = [f"        {line}" for line in self._console.tail()]
            self._said += ["    the console's last lines:", *last]
            raise FailedError(f"{title}: {error}") from error
        finally:
            print("\n".join(self._said), flush=True)

    @property
    def stack(self) -> Stack:
        """The stack, once it is asked for."""
        if self._stack is None:
            raise FailedError("there is no stack yet")
        return self._stack

    def _create(self) -> None:
        def create() -> None:
            self._stack = self._heat.create(
                self._half.name,
                self._template(),
                files=self._files(),
                minutes=MINUTES,
                environment=self._half.environment,
                who="world",
                **self._half.parameters,
            )

        self._act("CREATE", create)
        self._expect("message", "Hello, world!")
        self._expect("user_data", USER_DATA)
        self._expect("credential", self._half.credential)
        self._expect("readable", "/etc/of-its-own\n")

    def _update(self) -> None:
        self._change(who="Nova")
        self._expect("message", "Hello, Nova!")

    def _suspend(self) -> None:
        self._act("SUSPEND", self.stack.suspend)

    def _resume(self) -> None:
        self._act("RESUME", self.stack.resume)

    def _reboot(self) -> None:
        """Let Nova cut the server's power while a hook runs; the hook is run again."""
        begun = time.time()

        def change_and_reboot() -> None:
            self._begin_to_change(lengthy=True)
            waits = "the first run waits for the reboot"
            wait_for("the hook", lambda: self._console.has(waits, begun), PATIENCE, PACE)
            self._reboot_server()

        self._act("UPDATE", change_and_reboot)
        self._expect("lengthy", "run 2 has come to its end\n")

    def _delete_deployments(self) -> None:
        """While the server lives, a deployment is deleted when its DELETE action has been run."""
        begun = time.time()
        self._change(greetings=False)
        if not self._console.has("DELETE of Nova on", begun):
            raise FailedError("the server has not run the deployment's DELETE action")

    def _delete(self) -> None:
        self._act("DELETE", self.stack.begin_to_delete)

    def _change(self, **parameters: Any) -> None:
        self._act("UPDATE", lambda: self._begin_to_change(**parameters))

    def _begin_to_change(self, **parameters: Any) -> None:
        self.stack.update(
            self._template(),
            files=self._files(),
            environment=self._half.environment,
            **{"who": "Nova", **self._half.parameters, **parameters},
        )

    def _act(self, action: str, begin: Callable[[], object]) -> None:
        """Begin an action of Heat's, wait until it is COMPLETE, and say what happened when."""
        self._events = [steps.now(f"stack {action} asked for")]
        begun = self._events[0].time
        try:
            begin()
            ended = self.stack.wait(action, self._look, PATIENCE, PACE)
            self._events.append(steps.now(f"stack {action}_{ended}"))
        finally:
            self._said += steps.lines(self._events + self._console.events(since=begun))
        if ended != "COMPLETE":
            raise FailedError(self.stack.reason)

    def _look(self) -> None:
        """Note what has come: lines of the console, and Nova's states of the server."""
        for server in self._servers():
            self._console.belongs_to(server["id"])
            status = f"Nova says {server['status']}"
            if status not in [event.what for event in self._events]:
                self._events.append(steps.now(status))
        self._console.look()

    def _expect(self, output: str, value: str) -> None:
        found = self.stack.output(output)
        self._said.append(f"    output {output}: {found!r}")
        if found != value:
            raise FailedError(f"the output {output} is {found!r}, not {value!r}")

    def _servers(self) -> list[dict[str, Any]]:
        """The stack's one, if it is there yet."""
        servers = self._nova("GET", "/servers/detail")["servers"]
        return [one for one in servers if one["name"].startswith(f"{self._half.name}-server-")]

    def _reboot_server(self) -> None:
        (server,) = self._servers()
        self._nova("POST", f"/servers/{server['id']}/action", {"reboot": {"type": "HARD"}})
        self._events.append(steps.now("the hook runs; Nova is asked to reboot the server"))

    def _nova(self, method: str, path: str, body: object = None) -> Any:
        """Ask Nova as the stack's owner."""
        token = self._heat.api.http_client.session.get_token()
        return request(
            method, f"{self._lab.settings.url('nova_api')}/v2.1{path}", body, token=token
        )[0]

    def _template(self) -> dict[str, Any]:
        return dict(yaml.safe_load(TEMPLATE.read_text()))

    def _files(self) -> dict[str, str]:
        return {name: (FOLDER / name).read_text() for name in ("greet.sh", "take-long.sh")}


if __name__ == "__main__":
    sys.exit(main())
