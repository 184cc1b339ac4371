# SPDX-License-Identifier: Apache-2.0
"""Some cells of ``make matrix`` on Heat alone, all at the same time, and what no cell has."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from lab import Lab
from lab.stack import Heat, Stack
from matrix.cells import Cell, Side
from matrix.life import Life
from tests.support.server import HostServer
from tests.support.template import template

Create = Callable[..., Stack]

CELLS = [
    Cell(Side.HEAT, "ZAQAR_MESSAGE", "TEMP_URL_SIGNAL"),
    Cell(Side.HEAT, "POLL_TEMP_URL", "ZAQAR_SIGNAL"),
]


def test_a_stacks_whole_life(lab: Lab, tmp_path: Path) -> None:
    lives = [Life(cell, Heat(lab.environment()), tmp_path / cell.way_in) for cell in CELLS]
    with ThreadPoolExecutor(len(lives)) as pool:
        outcomes = list(pool.map(Life.play, lives))
    assert [outcome.problem for outcome in outcomes] == ["", ""]


def stack_of(server_transport: str, signal_transport: str, who: str) -> dict[str, Any]:
    return template(
        server_transport=server_transport,
        signal_transport=signal_transport,
        deployments={"step": {"config": "#!/bin/sh\necho $who", "values": {"who": who}}},
    )


def test_a_late_result_on_a_temp_url_is_not_that_of_the_update(
    create_stack: Create, heat: Heat, server: HostServer
) -> None:
    stack = create_stack(stack_of("POLL_TEMP_URL", "TEMP_URL_SIGNAL", "first"))
    server.boot(stack.wait_for_server())
    assert stack.wait("CREATE", server.poll) == "COMPLETE", stack.reason
    late = {"deploy_stdout": "late\n", "deploy_stderr": "", "deploy_status_code": 0}
    assert requests.put(temp_url(heat, stack), json=late, timeout=30).status_code == 201
    # Swift rounds up to a second, and Heat compares with the time at which the update begins.
    time.sleep(1)
    stack.update(stack_of("POLL_TEMP_URL", "TEMP_URL_SIGNAL", "second"))
    assert stack.wait("UPDATE", server.poll) == "COMPLETE", stack.reason
    assert stack.output("step.deploy_stdout") == "second\n"


def temp_url(heat: Heat, stack: Stack) -> str:
    """Where the stack's deployment is answered."""
    (item,) = heat.api.resources.metadata(stack.id, "server")["deployments"]
    return next(str(each["value"]) for each in item["inputs"] if each["name"] == "deploy_signal_id")


def test_both_transports_change_and_change_back(create_stack: Create, server: HostServer) -> None:
    """From what is polled, and to a queue.

    From a queue or a TempURL Heat alone does not tell the server: it deletes them first. From
    POLL_SERVER_CFN to what needs a password it does only if the user was made with one.
    """
    stack = create_stack(stack_of("POLL_SERVER_HEAT", "ZAQAR_SIGNAL", "first"))
    server.boot(stack.wait_for_server())
    with server.in_service():
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        changes = [
            ("POLL_SERVER_CFN", "TEMP_URL_SIGNAL"),
            ("POLL_SERVER_HEAT", "ZAQAR_SIGNAL"),
            ("ZAQAR_MESSAGE", "TEMP_URL_SIGNAL"),
        ]
        for server_transport, signal_transport in changes:
            stack.update(stack_of(server_transport, signal_transport, server_transport))
            assert stack.wait("UPDATE") == "COMPLETE", stack.reason
            assert stack.output("step.deploy_stdout") == f"{server_transport}\n"
