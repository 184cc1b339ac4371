# SPDX-License-Identifier: Apache-2.0
"""What AUTO becomes."""

from __future__ import annotations

import pytest

from heat_plugin.transport import decide, for_other_agents, server_choice, signal_choice


@pytest.mark.parametrize(
    ("understood", "default", "messaging", "becomes"),
    [
        ("ZAQAR_MESSAGE", "CFN_SIGNAL", True, "ZAQAR_MESSAGE"),
        ("ZAQAR_SIGNAL", "CFN_SIGNAL", True, "ZAQAR_SIGNAL"),
        ("ZAQAR_MESSAGE", "HEAT_SIGNAL", False, "HEAT_SIGNAL"),
        # Heat's default is Zaqar, which is not there.
        ("ZAQAR_MESSAGE", "ZAQAR_SIGNAL", False, "CFN_SIGNAL"),
    ],
)
def test_of_a_deployment(understood: str, default: str, messaging: bool, becomes: str) -> None:
    assert decide(signal_choice(understood, default), messaging=messaging) == becomes


@pytest.mark.parametrize(
    ("understood", "default", "messaging", "becomes"),
    [
        ("ZAQAR_SIGNED", "POLL_SERVER_CFN", True, "ZAQAR_SIGNED"),
        ("ZAQAR_MESSAGE", "POLL_SERVER_CFN", True, "ZAQAR_MESSAGE"),
        ("ZAQAR_SIGNED", "POLL_TEMP_URL", False, "POLL_TEMP_URL"),
        ("ZAQAR_SIGNED", "ZAQAR_MESSAGE", False, "POLL_SERVER_CFN"),
    ],
)
def test_of_a_server(understood: str, default: str, messaging: bool, becomes: str) -> None:
    assert decide(server_choice(understood, default), messaging=messaging) == becomes


@pytest.mark.parametrize(
    ("understood", "default", "becomes"),
    [
        ("ZAQAR_MESSAGE", "HEAT_SIGNAL", "HEAT_SIGNAL"),
        ("ZAQAR_MESSAGE", "ZAQAR_SIGNAL", "CFN_SIGNAL"),
        ("ZAQAR_SIGNAL", "CFN_SIGNAL", "ZAQAR_SIGNAL"),
        ("HEAT_SIGNAL", "CFN_SIGNAL", "HEAT_SIGNAL"),
    ],
)
def test_of_a_deployment_on_another_agent(understood: str, default: str, becomes: str) -> None:
    choice = for_other_agents(signal_choice(understood, default))
    assert decide(choice, messaging=True) == becomes
