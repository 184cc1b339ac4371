# SPDX-License-Identifier: Apache-2.0
"""Every way in and every way out, against the real control plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lab.stack import Stack
from tests.support.server import HostServer
from tests.support.template import template

# Each signal with the metadata path that it is used with most.
PATHS = [
    ("ZAQAR_MESSAGE", "ZAQAR_SIGNAL"),
    ("POLL_SERVER_HEAT", "HEAT_SIGNAL"),
    ("POLL_SERVER_CFN", "CFN_SIGNAL"),
]
every_path = pytest.mark.parametrize(("server_transport", "signal_transport"), PATHS)

ECHO = """#!/bin/sh
echo "hello $who: $number, $flag, $list, $map"
echo "warning: ümlaut" >&2
printf '%s' "größe $who" > $heat_outputs_path.greeting
printf 'not utf-8: \\377' > $heat_outputs_path.raw
"""
INPUTS = [
    {"name": "who", "default": "nobody"},
    {"name": "number", "type": "Number"},
    {"name": "flag", "type": "Boolean"},
    {"name": "list", "type": "CommaDelimitedList"},
    {"name": "map", "type": "Json"},
]
SUCCESS = {
    "config": ECHO,
    "inputs": INPUTS,
    "outputs": [{"name": "greeting"}, {"name": "raw"}, {"name": "unwritten"}],
    "values": {
        "who": "wörld",
        "number": 3.5,
        "flag": True,
        "list": ["a", "b"],
        "map": {"k": ["v"]},
    },
}
FAILURE = {"config": "#!/bin/sh\necho before; echo 'it broke' >&2; exit 7"}
ERROR_OUTPUT = {
    "config": "#!/bin/sh\necho 'the disk is missing' > $heat_outputs_path.problem",
    "outputs": [{"name": "problem", "error_output": True}],
}


Create = Callable[..., Stack]


def finish(stack: Stack, server: HostServer, action: str = "CREATE") -> str:
    """Boot the server with what the stack says and poll until the stack has ended."""
    server.boot(stack.wait_for_server())
    return stack.wait(action, server.poll)


@every_path
def test_success(
    create_stack: Create, server: HostServer, server_transport: str, signal_transport: str
) -> None:
    stack = create_stack(
        template(
            server_transport=server_transport,
            signal_transport=signal_transport,
            deployments={"echo": SUCCESS},
        )
    )
    assert finish(stack, server) == "COMPLETE", stack.reason
    assert stack.output("echo.deploy_stdout") == (
        'hello wörld: 3.5, True, ["a", "b"], {"k": ["v"]}\n'
    )
    assert stack.output("echo.deploy_stderr") == "warning: ümlaut\n"
    assert stack.output("echo.deploy_status_code") == 0
    assert stack.output("echo.greeting") == "größe wörld"
    assert stack.output("echo.raw") == "not utf-8: \ufffd"
    assert stack.output("echo.unwritten") is None
    assert server.undelivered == []


@every_path
def test_a_failing_script(
    create_stack: Create, server: HostServer, server_transport: str, signal_transport: str
) -> None:
    stack = create_stack(
        template(
            server_transport=server_transport,
            signal_transport=signal_transport,
            deployments={"broken": FAILURE},
        )
    )
    assert finish(stack, server) == "FAILED"
    assert "non-zero status code: 7" in stack.reason
    assert stack.output("broken.deploy_stderr") == "it broke\n"


@every_path
def test_an_output_flagged_as_error(
    create_stack: Create, server: HostServer, server_transport: str, signal_transport: str
) -> None:
    stack = create_stack(
        template(
            server_transport=server_transport,
            signal_transport=signal_transport,
            deployments={"check": ERROR_OUTPUT},
        )
    )
    assert finish(stack, server) == "FAILED"
    assert "problem : the disk is missing" in stack.reason


@pytest.mark.timeout(300)
def test_no_signal_is_sent_where_none_is_wanted(create_stack: Create, server: HostServer) -> None:
    stack = create_stack(
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="NO_SIGNAL",
            deployments={"echo": SUCCESS, "broken": FAILURE, "check": ERROR_OUTPUT},
        )
    )
    assert stack.wait("CREATE") == "COMPLETE"
    server.boot(stack.wait_for_server())

    def results() -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in server.deployed.glob("*.notify.json")]

    while len(results()) < 3:
        server.poll()
    assert sorted(result["deploy_status_code"] for result in results()) == [0, 0, 7]
    (problem,) = [result["problem"] for result in results() if "problem" in result]
    assert problem == "the disk is missing\n"
    assert server.undelivered == []


@every_path
def test_update_and_delete_are_run_too(
    create_stack: Create, server: HostServer, server_transport: str, signal_transport: str
) -> None:
    script = "#!/bin/sh\necho $deploy_action > $heat_outputs_path.action\necho $who"
    wanted = {"config": script, "outputs": [{"name": "action"}], "values": {"who": "first"}}

    def stack_template(who: str) -> dict[str, Any]:
        return template(
            server_transport=server_transport,
            signal_transport=signal_transport,
            deployments={"step": {**wanted, "values": {"who": who}}},
        )

    stack = create_stack(stack_template("first"))
    assert finish(stack, server) == "COMPLETE", stack.reason
    stack.update(stack_template("second"))
    assert stack.wait("UPDATE", server.poll) == "COMPLETE", stack.reason
    assert stack.output("step.deploy_stdout") == "second\n"
    assert stack.output("step.action") == "UPDATE\n"


def test_a_group_without_a_hook_fails_the_stack_at_once(
    create_stack: Create, server: HostServer
) -> None:
    stack = create_stack(
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={"odd": {"group": "nonesuch", "config": "text"}},
        )
    )
    assert finish(stack, server) == "FAILED"
    assert "no hook for group 'nonesuch'" in stack.output("odd.deploy_stderr")
