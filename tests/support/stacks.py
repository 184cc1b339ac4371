# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that need a control plane: one for them all, and stacks on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab import Lab
from lab.stack import Heat, Stack
from lab.swift import SWIFT

Create = Callable[..., Stack]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab", numbered=False)
    with Lab(folder, profile=SWIFT) as running:
        yield running


@pytest.fixture(scope="session")
def heat(lab: Lab) -> Heat:
    return Heat(lab.environment())


@pytest.fixture
def create_stack(heat: Heat) -> Iterator[Create]:
    """Create a stack that is deleted after the test."""
    stacks: list[Stack] = []

    def create(template: dict[str, Any], **parameters: Any) -> Stack:
        stacks.append(heat.create(f"test-{uuid.uuid4().hex[:8]}", template, **parameters))
        return stacks[-1]

    yield create
    for stack in stacks:
        stack.delete()
