# SPDX-License-Identifier: Apache-2.0
"""One control plane whose Heat has the plug-in, for all of these tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab import Lab
from lab.stack import Heat, Stack
from tests.support.answering import Server

Begin = Callable[..., tuple[Stack, Server]]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("plugin", numbered=False), plugin=True) as running:
        yield running


@pytest.fixture(scope="session")
def heat(lab: Lab) -> Heat:
    return Heat(lab.environment())


@pytest.fixture
def begin(heat: Heat) -> Iterator[Begin]:
    """Begin to create a stack that is deleted after the test; give it and its server's place."""
    stacks: list[Stack] = []

    def create(template: dict[str, Any], name: str = "") -> tuple[Stack, Server]:
        stacks.append(heat.create(name or f"test-{uuid.uuid4().hex[:8]}", template))
        return stacks[-1], Server(heat, stacks[-1])

    yield create
    for stack in stacks:
        stack.delete()
