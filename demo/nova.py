# SPDX-License-Identifier: Apache-2.0
"""Boot the image on a real Nova, and let Heat configure the server over Zaqar, all its life long.

Run by ``make demo-nova``, with the Python of the lab's environment. Nothing is written into the
server: Heat's user data, on Nova's configuration drive, are read by the image's own cloud-init. The
exit status is 0 only if each action gave what it should.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from heatclient import exc

from demo import timeline
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
        for half in HALVES:
            Demo(lab, half).live()


class Demo:
    """One stack's life."""

    def __init__(self, lab: Lab, half: Half) -> None:
        self._lab = lab
        self._half = half
        self._heat = Heat(lab.environment())
        self._console = Console(lab.directory / "data/nova/instances")
        self._stack: Stack | None = None

    def live(self) -> None:
        """Do all of it; show the console's end when something fails.

        :raises FailedError: something did.
        """
        try:
            self._create()
            self._update()
            self._act("SUSPEND", self.stack.suspend)
            self._act("RESUME", self.stack.resume)
            self._reboot()
            self._delete_deployments()
            self._delete()
        except (FailedError, LabError, TimeoutError, exc.BaseException) as error:
            print("    the console's last lines:")
            for line in self._console.tail():
                print(f"        {line}")
            raise FailedError(str(error)) from error

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
        self._change("UPDATE", who="Nova")
        self._expect("message", "Hello, Nova!")

    def _reboot(self) -> None:
        """Let Nova cut the server's power while a hook runs; the hook is run again."""
        begun = time.time()

        def change_and_reboot() -> None:
            self._begin_to_change(who="Nova", lengthy=True)
            waits = "the first run waits for the reboot"
            wait_for("the hook", lambda: self._console.has(waits, begun), PATIENCE)
            print("    the hook runs; Nova reboots the server")
            self._ask_nova({"reboot": {"type": "HARD"}})

        self._act("UPDATE", change_and_reboot, "REBOOT in the middle of a hook")
        self._expect("lengthy", "run 2 has come to its end\n")

    def _delete_deployments(self) -> None:
        """While the server lives, a deployment is deleted when its DELETE action has been run."""
        begun = time.time()
        self._change("DELETE of the deployments", greetings=False, lengthy=False)
        if not self._console.has("DELETE of Nova on", begun):
            raise FailedError("the server has not run the deployment's DELETE action")

    def _delete(self) -> None:
        print(f"==> {self._half.title}: DELETE")
        begun = time.monotonic()
        self.stack.delete()
        print(f"    {time.monotonic() - begun:6.2f} s  the stack and its server are gone")

    def _change(self, title: str, **parameters: Any) -> None:
        self._act("UPDATE", lambda: self._begin_to_change(**parameters), title)

    def _begin_to_change(self, **parameters: Any) -> None:
        self.stack.update(
            self._template(),
            files=self._files(),
            environment=self._half.environment,
            **{"who": "Nova", **self._half.parameters, **parameters},
        )

    def _act(self, action: str, begin: Callable[[], object], title: str = "") -> None:
        """Begin an action of Heat's, wait until it is COMPLETE, and show what happened when."""
        print(f"==> {self._half.title}: {title or action}", flush=True)
        events = [timeline.now(f"stack {action} asked for")]
        begin()
        seen: set[str] = set()
        ended = self.stack.wait(action, lambda: self._look(events, seen), PATIENCE)
        events.append(timeline.now(f"stack {action}_{ended}"))
        timeline.show(events + self._console.events(since=events[0].time))
        if ended != "COMPLETE":
            raise FailedError(f"{title or action}: {self.stack.reason}")

    def _look(self, events: list[timeline.Event], seen: set[str]) -> None:
        """Note what has come: lines of the console, and Nova's states of the server."""
        self._console.look()
        status = self._status()
        if status and status not in seen:
            seen.add(status)
            events.append(timeline.now(f"Nova says {status}"))

    def _expect(self, output: str, value: str) -> None:
        found = self.stack.output(output)
        print(f"    output {output}: {found!r}")
        if found != value:
            raise FailedError(f"the output {output} is {found!r}, not {value!r}")

    def _status(self) -> str:
        """The server's, or "" where there is none yet."""
        servers = self._nova("GET", "/servers/detail")["servers"]
        return str(servers[0]["status"]) if servers else ""

    def _ask_nova(self, action: dict[str, Any]) -> None:
        self._nova("POST", f"/servers/{self.stack.output('server_id')}/action", action)

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
