# SPDX-License-Identifier: Apache-2.0
"""A booted server of an image of version 0.1.0 gets today's packages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.server import File, Server
from tests.support import first_release
from tests.support.deployments import to
from tests.support.packages_on_servers import (
    WATCHING,
    apt,
    ask,
    install,
    result,
    shell,
    states,
    wait_for,
    waiting,
)
from tests.support.repository import list_packages
from tests.support.serving import serving

PENDING = {"put": "PUT", "post": "POST"}


class Office(ThreadingHTTPServer):
    """Where results are sent: it takes none until it is open."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.is_open = False
        self.refused: list[str] = []
        self.taken: list[str] = []

    def address(self, name: str) -> str:
        """A signed URL for one deployment's result."""
        return f"http://127.0.0.1:{self.server_port}/{name}?temp_url_sig=0123456789abcdef"


class _Handler(BaseHTTPRequestHandler):
    server: Office

    def _take(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.partition("?")[0].strip("/")
        (self.server.taken if self.server.is_open else self.server.refused).append(name)
        self.send_response(200 if self.server.is_open else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST = _take  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def office() -> Iterator[Office]:
    with serving(Office()) as up:
        yield up


@pytest.fixture
def former(built: Path, pristine: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of its image, with a repository of what today's packages need beside it."""
    for path in (pristine / "var/cache/apt/archives").glob("*.deb"):
        shutil.copy(path, tmp_path)
    list_packages(tmp_path)
    mirror = File("/etc/apt/sources.list", "deb [trusted=yes] file:/needed ./\n", 0o644)
    disks = {"/packages": built, "/needed": tmp_path}
    with Server(first_release.image(), files=[mirror], disks=disks) as running:
        running.run(["systemctl", "is-system-running", "--wait"], check=False)
        apt(running, "update")
        yield running


@pytest.mark.parametrize("release", ["bookworm"], indirect=True)
def test_nothing_is_lost_and_nothing_is_done_twice(former: Server, office: Office) -> None:
    items = [waiting(name, inputs=to(office.address(name), verb)) for name, verb in PENDING.items()]
    running = waiting("running", inputs=to(office.address("running")))
    shell(former, "touch /srv/go-put /srv/go-post")
    ask(former, [*items, running])
    wait_for(former, "[ -e /srv/begun-running ]")
    former.wait_for(lambda _: {"put", "post"} <= set(office.refused), what="two refused results")

    # Its settings are as its image has them: they stay.
    install(former, "now", "--option=Dpkg::Options::=--force-confold")

    # The programs are the package's, and so are those of the units.
    assert former.run(["which", "heat-config"]).stdout == "/usr/bin/heat-config\n"
    main = "systemctl show --property=MainPID --value os-collect-config"
    assert "/opt/heat-config/" in shell(former, f"tr '\\0' ' ' < /proc/$({main})/cmdline")
    assert states(former, "is-active") == ["active"] * len(WATCHING)
    # What 0.1.0 has begun goes on, and what it could not send is pending.
    assert {"post.json", "put.json"} <= set(shell(former, "ls /var/lib/heat-config/outbox").split())
    office.is_open = True
    former.run(["touch", "/srv/go-running"])
    wait_for(former, "heat-config status --wait --timeout 60")

    assert sorted(office.taken) == ["post", "put", "running"]
    for name in (*PENDING, "running"):
        assert result(former, name) == (0, "well\n")
        assert former.read(f"/srv/begun-{name}") == "begun\n"
