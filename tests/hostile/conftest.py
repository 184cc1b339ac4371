# SPDX-License-Identifier: Apache-2.0
"""One server for all: what one hostile input leaves behind, the next one meets.

A server that a test has found ill is replaced, so that each failure is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.hostile.world import World, world


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    with ExitStack() as stack:
        made: list[World] = []

        def server() -> World:
            if not made or not made[-1].is_healthy:
                root = tmp_path_factory.mktemp("hostile") / "server"
                made.append(stack.enter_context(world(root)))
            made[-1].is_healthy = False
            return made[-1]

        yield server


@pytest.fixture
def server(servers: Callable[[], World]) -> World:
    return servers()
