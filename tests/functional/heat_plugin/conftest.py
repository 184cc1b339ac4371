# SPDX-License-Identifier: Apache-2.0
"""One control plane whose Heat has the plug-in, for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab
from lab.stack import Heat
from lab.wire import Wire
from tests.support.answering import Begin, beginnings
from tests.support.wires import wire_to_zaqar


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("plugin", numbered=False), plugin=True) as running:
        yield running


@pytest.fixture(scope="session")
def heat(lab: Lab) -> Heat:
    return Heat(lab.environment())


@pytest.fixture(scope="session")
def queue_wire(lab: Lab) -> Iterator[Wire]:
    """That of this control plane: a process may have tests on the other one, too."""
    with wire_to_zaqar(lab) as up:
        yield up


@pytest.fixture
def begin(heat: Heat) -> Iterator[Begin]:
    """Begin to create a stack that is deleted after the test; give it and its server's place."""
    with beginnings(heat) as create:
        yield create
