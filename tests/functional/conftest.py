# SPDX-License-Identifier: Apache-2.0
"""One control plane for all functional tests, and servers and stacks on it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heat_config.cloud import http, keystone
from lab import Lab
from lab.stack import Heat
from lab.wire import Action, Reply, Wire
from tests.support.collecting import Collecting
from tests.support.server import HostServer
from tests.support.sharing import Sharing, turn
from tests.support.signalled import Deployments, signalled
from tests.support.stacks import create_stack, heat, lab
from tests.support.user import DemoUser
from tests.support.wires import Reroute, wire_to_zaqar

__all__ = ["create_stack", "heat", "lab"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    items.sort(key=lambda item: turn(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """How the tests are shared between processes."""
    return Sharing(config, log)


@pytest.fixture(autouse=True)
def _a_process_of_its_own() -> None:
    """No user, with its connections and timeouts, is left of the test before."""
    keystone.user_of.cache_clear()


@pytest.fixture
def server(tmp_path: Path) -> HostServer:
    return HostServer(tmp_path / "server")


@pytest.fixture
def collecting(lab: Lab, tmp_path: Path) -> Collecting:
    """A server's heat-config-collect with a queue of its own."""
    return Collecting(lab, tmp_path)


@pytest.fixture
def running(collecting: Collecting) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start it as a service that is stopped after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **options: object) -> subprocess.Popen[str]:
        started.append(collecting.start(*arguments, **options))
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.communicate()


@pytest.fixture(scope="session")
def queue_wire(lab: Lab) -> Iterator[Wire]:
    with wire_to_zaqar(lab) as up:
        yield up


@pytest.fixture
def wire(queue_wire: Wire) -> Wire:
    """That wire, on which nothing has happened yet."""
    queue_wire.history.clear()
    queue_wire.plan([])
    return queue_wire


@pytest.fixture
def wired(collecting: Collecting, wire: Wire) -> Collecting:  # noqa: ARG001 - it must be there
    """A server that reaches Zaqar over the wire."""
    collecting.values["region_name"] = "wire"
    return collecting


@pytest.fixture(scope="module")
def user(lab: Lab) -> DemoUser:
    return DemoUser(lab)


@pytest.fixture(scope="module")
def deployments(heat: Heat) -> Iterator[Deployments]:
    with signalled(heat) as made:
        yield made


@pytest.fixture
def short_stall(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stall is noticed soon; what does not stall may take its time on a busy machine."""
    if action.reply is Reply.STALL:
        monkeypatch.setattr(http, "TIMEOUT", 2.0)


@pytest.fixture
def reroute(monkeypatch: pytest.MonkeyPatch) -> Reroute:
    """Services that are reached over a wire; no other service must be asked for."""
    looked_up = keystone.User.endpoint
    wires: dict[str, Wire] = {}

    def endpoint(self: keystone.User, wanted: str) -> str:
        url = urlsplit(looked_up(self, wanted))
        return wires[wanted].url + url.path

    monkeypatch.setattr(keystone.User, "endpoint", endpoint)
    return wires.__setitem__
