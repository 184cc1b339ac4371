# SPDX-License-Identifier: Apache-2.0
"""What the holder of a deployment's address can do besides answering: read its queue, no more."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from heat_config.cloud import signed
from lab import Lab
from tests.support.answering import Begin, Inputs, ask
from tests.support.plugin import one

OTHER = "another-queue"


def on_another_queue(address: signed.Address) -> signed.Address:
    return replace(address, queue=OTHER)


def signed_for_another_queue(address: signed.Address) -> signed.Address:
    return replace(address, queue=OTHER, paths=(f"/v2/queues/{OTHER}/messages",))


MISUSES: dict[str, tuple[str, Callable[[signed.Address], signed.Address]]] = {
    "another queue": ("GET", on_another_queue),
    "another queue's path": ("GET", signed_for_another_queue),
    "a method that is not signed": ("DELETE", lambda address: address),
    "a method of one's own": (
        "DELETE",
        lambda address: replace(address, methods=("DELETE", "GET", "POST")),
    ),
    "another project": ("GET", lambda address: replace(address, project="0" * 32)),
    "a longer life": ("GET", lambda address: replace(address, expires="2099-01-01T00:00:00")),
    "a life that has ended": (
        "GET",
        lambda address: replace(address, expires="2020-01-01T00:00:00"),
    ),
    "another signature": ("GET", lambda address: replace(address, signature="0" * 64)),
}


@pytest.fixture
def deployment(begin: Begin) -> Iterator[Inputs]:
    stack, server = begin(one())
    found = server.new()
    yield found
    server.answer(found)
    assert stack.wait("CREATE") == "COMPLETE", stack.reason


@pytest.mark.parametrize("misuse", MISUSES)
def test_nothing_else_is_opened(deployment: Inputs, misuse: str) -> None:
    assert ask(deployment.address, "GET").status == 200
    method, change = MISUSES[misuse]
    answer = ask(change(deployment.address), method, query="?ids=1" if method == "DELETE" else "")
    assert answer.status == 404


def test_the_queue_itself_cannot_be_deleted_or_signed_again(deployment: Inputs) -> None:
    for method, below in (("DELETE", "/.."), ("POST", "/../share"), ("POST", "/../claims")):
        assert ask(deployment.address, method, below=below, body={}).status == 404
    assert ask(deployment.address, "GET").status == 200


def test_heat_has_all_that_the_plugin_uses_of_it(lab: Lab) -> None:
    program = "from heat_plugin import heat_names, types; print(list(heat_names.missing()))"
    said = subprocess.run(
        [str(lab.python), "-W", "ignore", "-c", program],
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "[]"
