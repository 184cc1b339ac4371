# SPDX-License-Identifier: Apache-2.0
"""A server whose way in changes with an update, with the real collector and agent on it."""

from __future__ import annotations

from pathlib import Path

from tests.support.answering import Begin
from tests.support.plugin import one
from tests.support.server import HostServer


def test_a_server_follows_from_a_signed_queue_to_polling_and_back(
    begin: Begin, tmp_path: Path
) -> None:
    stack, _ = begin(one(server_transport="ZAQAR_SIGNED"))
    server = HostServer(tmp_path / "server")
    server.boot(stack.wait_for_server())
    with server.in_service():
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        for transport in ("POLL_SERVER_HEAT", "ZAQAR_SIGNED"):
            stack.update(one(server_transport=transport, value=transport))
            assert stack.wait("UPDATE") == "COMPLETE", stack.reason
            assert stack.output("step.deploy_stdout") == f"{transport}\n"
