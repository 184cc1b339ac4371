# SPDX-License-Identifier: Apache-2.0
"""One control plane for all functional tests, and servers and stacks on it."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config.cloud import keystone
from lab import Lab
from lab.catalog import add_region
from lab.stack import Heat, Stack
from lab.wire import Wire

from .collecting import Collecting
from .server import HostServer
from .test_signals import address


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab", numbered=False)) as running:
        yield running


@pytest.fixture(scope="session")
def heat(lab: Lab) -> Heat:
    return Heat(lab.environment())


@pytest.fixture(autouse=True)
def _a_process_of_its_own() -> None:
    """No user, with its connections and timeouts, is left of the test before."""
    keystone._user.cache_clear()


@pytest.fixture
def create_stack(heat: Heat) -> Iterator[Callable[[dict[str, Any]], Stack]]:
    """Create a stack that is deleted after the test."""
    stacks: list[Stack] = []

    def create(template: dict[str, Any], **parameters: Any) -> Stack:
        stacks.append(heat.create(f"test-{uuid.uuid4().hex[:8]}", template, **parameters))
        return stacks[-1]

    yield create
    for stack in stacks:
        stack.delete()


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
    """A wire to Zaqar, in the catalog as its endpoint in a region of its own."""
    with Wire(address(lab.endpoints["messaging"])) as up:
        add_region(lab, "wire", {"zaqar": up.url})
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
