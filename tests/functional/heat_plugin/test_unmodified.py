# SPDX-License-Identifier: Apache-2.0
"""heat-agents 13.0.0 and os-collect-config 14.1.0 from the index, on a Heat with the plug-in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from bench.servers import Peer
from heat_plugin import paths
from lab import Lab
from lab.stack import wait_for
from tests.support import answering
from tests.support.answering import Begin
from tests.support.plugin import configured, one

MAPPED = "ZAQAR_MESSAGE"


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    return Peer(tmp_path / "server", Path(sys.executable).parent)


def ran(peer: Peer) -> list[str]:
    """The ids of the configs that it has run."""
    folder = peer.root / "var/lib/heat-config/deployed"
    return [path.name.partition(".")[0] for path in folder.glob("*.notify.json")]


def log_of(peer: Peer) -> str:
    return peer.log.read_text()


@pytest.mark.parametrize("transport", ["CFN_SIGNAL", "HEAT_SIGNAL"])
def test_what_asks_for_nothing_new_is_as_before(begin: Begin, peer: Peer, transport: str) -> None:
    stack, _ = begin(one(transport, server_transport=MAPPED))
    given = stack.wait_for_server()
    assert stack.wait("CREATE", lambda: peer.once(given)) == "COMPLETE", stack.reason
    stack.update(one(transport, server_transport=MAPPED, value="second"))
    assert stack.wait("UPDATE", lambda: peer.once(given)) == "COMPLETE", stack.reason
    assert stack.output("step.deploy_stdout") == "second\n"


def test_a_cloud_may_say_that_auto_is_what_they_understand(
    begin: Begin, lab: Lab, peer: Peer
) -> None:
    auto = {"auto_signal_transport": "HEAT_SIGNAL", "auto_software_config_transport": MAPPED}
    with configured(lab, **auto):
        stack, _ = begin(one("AUTO", server_transport="AUTO"))
        given = stack.wait_for_server()
        assert stack.wait("CREATE", lambda: peer.once(given)) == "COMPLETE", stack.reason
        assert stack.output("transport") == "HEAT_SIGNAL"


def test_a_stack_may_say_so(begin: Begin, peer: Peer) -> None:
    with_users = yaml.safe_load(paths.FOR_STACKS["users"].read_text())
    stack, _ = begin(one("AUTO", server_transport="AUTO"), environment=with_users)
    given = stack.wait_for_server()
    assert stack.wait("CREATE", lambda: peer.once(given)) == "COMPLETE", stack.reason
    assert stack.output("transport") == "CFN_SIGNAL"


def test_an_address_for_a_result_is_a_url_of_no_scheme_that_they_know(
    begin: Begin, peer: Peer
) -> None:
    """They run the config, once, and its result stays on the server; the address is in the log."""
    stack, server = begin(one("ZAQAR_MESSAGE", server_transport=MAPPED))
    deployment = server.new()
    given = stack.wait_for_server()

    def has_run() -> bool:
        peer.once(given)
        return ran(peer) == [deployment.config_id]

    wait_for("a run", has_run)
    peer.once(given)
    assert "No connection adapters were found for" in log_of(peer)
    assert log_of(peer).count("Error running heat-config-notify. [1]") == 1
    assert deployment.address.signature in log_of(peer)
    assert answering.bodies(deployment.address) == []
    assert stack.state == "CREATE_IN_PROGRESS"


def test_an_address_for_metadata_is_no_configuration_to_them(begin: Begin, peer: Peer) -> None:
    """They find nothing to do."""
    stack, server = begin(one("HEAT_SIGNAL", server_transport="ZAQAR_SIGNED"))
    server.new()
    peer.once(stack.wait_for_server())
    assert log_of(peer).count("No auth_url configured") == 1
    assert ran(peer) == []
    assert stack.state == "CREATE_IN_PROGRESS"
