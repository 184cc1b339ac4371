# SPDX-License-Identifier: Apache-2.0
"""Keystone has made a stack's user when it goes away, and Heat does not know it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lab import Lab
from lab.wire import LOSE_ANSWER, RESET, Action, Exchange, Wire
from tests.support import answering
from tests.support.answering import Begin
from tests.support.plugin import one, restart_heat
from tests.support.stack_domain import users
from tests.support.wires import wire_of_engine

Fault = Callable[[Wire, str, str], Action | None]

USERS = "/v3/users"


@pytest.fixture(scope="module")
def keystone(lab: Lab) -> Iterator[Wire]:
    """What the engine makes its users over."""
    with wire_of_engine(lab, "keystone") as wire:
        yield wire
    restart_heat(lab)


def made(wire: Wire) -> list[Exchange]:
    """Each user that was to be made."""
    return [each for each in wire.requests("POST") if each.path == USERS]


def said(wire: Wire) -> list[int | None]:
    """What Keystone has said to each of them."""
    return [each.forwarded for each in made(wire)]


def loses_its_answer(wire: Wire, method: str, path: str) -> Action | None:
    """Each user that is made, to the first request for it."""
    is_first = all(each.answered == 201 for each in made(wire)[-1:])
    return LOSE_ANSWER if (method, path) == ("POST", USERS) and is_first else None


def gives_no_role(wire: Wire, method: str, path: str) -> Action | None:
    """To any user, until the same one is to be made again."""
    is_role = method == "PUT" and "/roles/" in path
    return RESET if is_role and 409 not in said(wire)[-2:] else None


@pytest.mark.parametrize("fault", [loses_its_answer, gives_no_role])
def test_it_is_made_anew(begin: Begin, lab: Lab, keystone: Wire, fault: Fault) -> None:
    before = users(lab)
    keystone.history.clear()
    keystone.obey(lambda method, path: fault(keystone, method, path))
    stack, server = begin(one("ZAQAR_SIGNAL", server_transport="POLL_SERVER_CFN"))
    deployment = server.new()
    answering.post_as_user(deployment, answering.result(deployment.config_id))
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    # The server's, and then the deployment's.
    assert said(keystone) == [201, 409, 201] * 2
    assert len(set(users(lab)) - set(before)) == 2
    stack.delete()
    assert users(lab) == before
