# SPDX-License-Identifier: Apache-2.0
"""heat-config-collect against the real Keystone, Zaqar and Heat, and over a wire that breaks.

The wire is in Keystone's catalog, as Zaqar's endpoint in a region of its own.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from lab import Lab
from lab.identity import Keystone
from lab.stack import Heat, Stack, wait_for
from lab.wire import FORWARD, LOSE_ANSWER, RESET, Wire, answer

from .template import template
from .test_signals import DemoUser

REPOSITORY = Path(__file__).parents[2]
REGION = "wire"
PROGRAM = "import sys; from heat_config.collect import main; sys.exit(main())"


@pytest.fixture(scope="module")
def wire(lab: Lab) -> Iterator[Wire]:
    zaqar = urlsplit(lab.endpoints["messaging"])
    admin = lab.environment("admin")
    keystone = Keystone(SimpleNamespace(identity_url=admin["OS_AUTH_URL"].removesuffix("/v3")))  # type: ignore[arg-type]
    keystone.authenticate("admin", admin["OS_PASSWORD"], "admin")
    with Wire((str(zaqar.hostname), int(zaqar.port or 0))) as up:
        keystone.create("region", id=REGION)
        service = keystone.find("service", "zaqar")
        keystone.create(
            "endpoint", service_id=service, interface="public", url=up.url, region_id=REGION
        )
        yield up


class Collecting:
    """A server's heat-config-collect, its configuration and its files."""

    def __init__(self, lab: Lab, root: Path) -> None:
        self.root = root
        self.user = DemoUser(lab)
        self.queue = f"collect-{uuid.uuid4().hex[:12]}"
        self.values = {
            **{
                name: self.user.values[f"deploy_{name}"]
                for name in ("auth_url", "user_id", "password", "project_id", "region_name")
            },
            "queue_id": self.queue,
        }
        self.log = root / "log"
        self.applied_file = root / "applied"
        (root / "local-data").mkdir(parents=True)
        self._zaqar = lab.endpoints["messaging"]
        self._program = root / "heat-config-collect"
        self._program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
        self._program.chmod(0o755)
        # Nothing is committed before this has ended well.
        self.command = (
            f"tr -d '\\n' < {root}/cache/zaqar.json > {root}/line && echo >> {root}/line"
            f" && cat {root}/line >> {root}/applied"
        )

    def configure(self, collectors: str = "zaqar", **options: object) -> Path:
        settings = {
            "cachedir": self.root / "cache",
            "backup_cachedir": self.root / "backup",
            "command": self.command,
            "min_polling_interval": 0.2,
            "polling_interval": 1,
            **options,
        }
        lines = ["[DEFAULT]", *(f"{key} = {value}" for key, value in settings.items())]
        lines += [f"collectors = {name}" for name in collectors.split()]
        lines += ["[local]", f"path = {self.root}/local-data", "[zaqar]"]
        # As oslo.config reads it back.
        lines += [f"{key} = {str(value).replace('$', '$$')}" for key, value in self.values.items()]
        path = self.root / "collect.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [self._program, "--config-file", self.configure(**options), *arguments],  # type: ignore[arg-type]
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def once(self, *arguments: str, **options: object) -> str:
        """Run it to its end; return what it printed."""
        with self.start(*(arguments or ("--one-time",)), **options) as program:
            printed, _ = program.communicate(timeout=60)
        self.status = program.returncode
        return printed

    def post(self, *bodies: object) -> None:
        with requests.post(
            f"{self._zaqar}/v2/queues/{self.queue}/messages",
            json={"messages": [{"body": body, "ttl": 300} for body in bodies]},
            headers=self._headers(),
            timeout=30,
        ) as response:
            response.raise_for_status()

    def waiting(self) -> list[Any]:
        """The bodies of what is on the queue."""
        url = f"{self._zaqar}/v2/queues/{self.queue}/messages?echo=true"
        with requests.get(url, headers=self._headers(), timeout=30) as response:
            return [message["body"] for message in response.json()["messages"]]

    def applied(self) -> list[Any]:
        """The numbers of what the command was run with."""
        if not self.applied_file.exists():
            return []
        return [json.loads(line).get("n") for line in self.applied_file.read_text().splitlines()]

    def _headers(self) -> dict[str, str]:
        session = self.user._session
        return {"X-Auth-Token": str(session.get_token()), "Client-ID": str(uuid.uuid4())}


@pytest.fixture
def collecting(lab: Lab, tmp_path: Path) -> Collecting:
    return Collecting(lab, tmp_path)


@pytest.fixture
def wired(collecting: Collecting, wire: Wire) -> Collecting:
    wire.history.clear()
    wire.plan([])
    collecting.values["region_name"] = REGION
    return collecting


@pytest.fixture
def running(collecting: Collecting) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start it as a service that is stopped after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(**options: object) -> subprocess.Popen[str]:
        started.append(collecting.start(**options))
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.communicate()


def body(number: int) -> dict[str, Any]:
    return {"deployments": [], "n": number}


def test_the_newest_is_applied_and_the_queue_is_empty(collecting: Collecting) -> None:
    collecting.post(*(body(number) for number in range(15)))
    collecting.post(*(body(number) for number in range(15, 30)), "rubbish")
    collecting.once()
    assert collecting.applied() == [29]
    assert collecting.waiting() == []
    assert len(list((collecting.root / "cache/zaqar.d/rejected").iterdir())) == 1
    collecting.once()
    assert collecting.applied() == [29]
    collecting.once("--force")
    assert collecting.applied() == [29, 29]


def test_print_consumes_nothing(collecting: Collecting) -> None:
    collecting.post(body(1), body(2))
    printed = json.loads(collecting.once("--print"))
    assert printed == {"zaqar": body(2)}
    assert len(collecting.waiting()) == 2
    assert not (collecting.root / "cache").exists()


def test_a_failed_command_is_run_again_with_the_same_data(collecting: Collecting) -> None:
    collecting.post(body(1))
    works = collecting.command
    collecting.command = "exit 3"
    collecting.once()
    assert collecting.status == 3
    assert collecting.waiting() == []
    collecting.command = works
    collecting.once()
    assert collecting.applied() == [1]


def test_another_sources_change_keeps_the_metadata(collecting: Collecting) -> None:
    collecting.post(body(1))
    collecting.once(collectors="zaqar local")
    (collecting.root / "local-data/extra").write_text('{"wörd": 1}')
    collecting.once(collectors="zaqar local")
    assert collecting.applied() == [1, 1]
    files = json.loads((collecting.root / "cache/os_config_files.json").read_text())
    assert [Path(path).name for path in files] == ["zaqar.json", "extra.json"]


def test_the_service_goes_on_through_hangups_until_it_is_told_to_end(
    collecting: Collecting, running: Callable[..., subprocess.Popen[str]]
) -> None:
    service = running()
    for number in range(1, 4):
        collecting.post(body(number))
        wait_for("the change", partial(has_applied, collecting, number))
        service.send_signal(signal.SIGHUP)
        wait_for("a new start", partial(has_started_anew, collecting, number))
    assert collecting.applied() == [1, 2, 3]
    service.terminate()
    assert service.wait(30) == -signal.SIGTERM


def test_a_configuration_that_its_command_changes_is_taken_up(
    collecting: Collecting, running: Callable[..., subprocess.Popen[str]]
) -> None:
    password = collecting.values["password"]
    collecting.values["password"] = "rotated away"
    wrong = collecting.configure().read_text()
    collecting.values["password"] = password
    right = collecting.configure().read_text()
    collecting.post(body(1))
    config = collecting.root / "collect.conf"
    saved = collecting.root / "wrong.conf"
    saved.write_text(wrong)
    collecting.command += f" && cp {saved} {config}"
    running()
    wait_for("the change", lambda: collecting.applied() == [1])
    wait_for("the complaint", lambda: said(collecting, "401"))
    assert said(collecting, "starting anew") == 1
    assert "rotated away" not in collecting.log.read_text()
    assert right != wrong


def test_zaqar_tells_of_a_message_over_the_websocket(
    collecting: Collecting, running: Callable[..., subprocess.Popen[str]]
) -> None:
    collecting.values["use_websockets"] = True
    collecting.post(body(1))
    # Polling would take ten minutes: longer than anybody waits here.
    running(min_polling_interval=600, polling_interval=600)
    for number in range(1, 4):
        wait_for("the change", partial(has_applied, collecting, number))
        wait_for("an empty queue", lambda: collecting.waiting() == [])
        collecting.post(body(number + 1))
    assert said(collecting, "polling the queue") == 0
    assert collecting.applied()[:3] == [1, 2, 3]


def test_without_a_websocket_it_polls_and_says_so_once(
    wired: Collecting, running: Callable[..., subprocess.Popen[str]]
) -> None:
    wired.values["use_websockets"] = True
    running()
    for number in (1, 2):
        wired.post(body(number))
        wait_for("the change", partial(has_applied, wired, number))
    assert said(wired, "no public endpoint of type 'messaging-websocket'") == 1


@pytest.mark.parametrize("fault", [RESET, LOSE_ANSWER, answer(503), answer(502, b"<html>")])
def test_a_deletion_that_fails_is_made_up_for(wired: Collecting, wire: Wire, fault: Any) -> None:
    wired.post(body(1), body(2))
    # Listed by one request; then comes the deletion.
    wire.plan([answer(503)])
    wired.once()
    assert wired.applied() == []
    wire.plan([FORWARD, fault])
    wired.once()
    assert wired.applied() == [2]
    wired.once()
    assert wired.applied() == [2]
    assert wired.waiting() == []


def test_an_outage_is_told_once_and_the_metadata_stays(
    wired: Collecting, wire: Wire, running: Callable[..., subprocess.Popen[str]]
) -> None:
    wired.post(body(1))
    running(collectors="zaqar local")
    wait_for("the change", lambda: wired.applied() == [1])
    wire.close_port()
    try:
        wait_for("the complaint", lambda: said(wired, "trying again"))
        (wired.root / "local-data/extra").write_text("{}")
        wait_for("the other source", lambda: wired.applied() == [1, 1])
    finally:
        wire.open_port()
    wired.post(body(2))
    wait_for("the change", lambda: wired.applied() == [1, 1, 2])
    assert said(wired, "trying again") == 1
    assert said(wired, "answers again") == 1
    assert "Traceback" not in wired.log.read_text()


def test_one_token_and_one_connection_serve_many_looks(
    wired: Collecting, wire: Wire, running: Callable[..., subprocess.Popen[str]]
) -> None:
    keystone = urlsplit(wired.values["auth_url"])
    before = wire.connections
    with Wire((str(keystone.hostname), int(keystone.port or 0))) as to_keystone:
        wired.values["auth_url"] = f"{to_keystone.url}/v3/"
        running()
        wait_for("many looks", lambda: len(wire.requests("GET")) >= 8)
        assert len(to_keystone.requests("POST")) == 1
    assert wire.connections == before + 1


def test_killed_at_any_moment_it_ends_with_the_newest(collecting: Collecting) -> None:
    chance = random.Random(4)  # noqa: S311 - no secret
    for number in range(1, 9):
        collecting.post(body(number))
        service = collecting.start()
        time.sleep(chance.uniform(0.3, 1.2))
        service.kill()
        service.communicate()
    collecting.once()
    assert collecting.applied()[-1] == 8
    assert collecting.applied() == sorted(collecting.applied())
    assert collecting.waiting() == []


def test_what_has_expired_is_taken_from_heat(
    collecting: Collecting, heat: Heat, create_stack: Callable[..., Stack]
) -> None:
    stack = create_stack(
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={"late": {"config": "#!/bin/sh\necho late"}},
        )
    )
    given = stack.wait_for_server()["zaqar"]
    server = heat.api.resources.get(stack.id, "server").physical_resource_id
    collecting.values = {**given, "server_id": server}

    def has_deployments() -> bool:
        printed = json.loads(collecting.once("--print"))
        return bool(printed.get("zaqar", {}).get("deployments"))

    wait_for("the deployment", has_deployments)
    collecting.command = f"cp {collecting.root}/cache/zaqar.json {collecting.applied_file}"
    collecting.once()
    told = json.loads(collecting.applied_file.read_text())
    # The same server, off for so long that nothing is left on its queue, or on its disk.
    collecting.applied_file.unlink()
    (collecting.root / "cache").rename(collecting.root / "lost")
    collecting.once()
    found = json.loads(collecting.applied_file.read_text())
    assert found["deployments"] == told["deployments"]
    assert found["os-collect-config"]["zaqar"]["queue_id"] == given["queue_id"]
    assert found["os-collect-config"]["collectors"] == ["zaqar"]


def has_applied(collecting: Collecting, number: int) -> bool:
    """Whether this is what was applied last."""
    return collecting.applied()[-1:] == [number]


def has_started_anew(collecting: Collecting, times: int) -> bool:
    return said(collecting, "starting anew") == times


def said(collecting: Collecting, text: str) -> int:
    """In how many lines it has said this."""
    lines = collecting.log.read_text().splitlines()
    return sum(text in line for line in lines)
