# SPDX-License-Identifier: Apache-2.0
"""What the unit tests share. None of them may reach beyond loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as rules

from heat_config import journal, log
from heat_config import settings as heat_config_settings
from heat_config.settings import Settings
from tests.support.hooks import installed
from tests.support.inbox import Inbox
from tests.support.serving import serving

# The same examples each time, and no limit to the time of one: the machine may be busy.
rules.load_profile("ci")


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout's hooks, as a server has them."""
    return installed(tmp_path_factory.mktemp("server") / "hooks")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    server = Inbox()
    with serving(server):
        yield server


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a unit test tried to connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def private_environment(hooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point every folder that the agent and the hooks use below tmp_path."""
    folders = {
        "HEAT_SHELL_CONFIG": "heat-config",
        "HEAT_CONFIG_DEPLOYED": "deployed",
        "HEAT_CONFIG_DEPLOYED_OLD": "deployed-old",
        "HEAT_CONFIG_OUTBOX": "outbox",
        "HEAT_CONFIG_LOGS": "logs",
        "HEAT_CONFIG_SETTINGS": "heat-config.conf",
        "HEAT_SCRIPT_WORKING": "script-working",
        "HEAT_SCRIPT_OUTPUTS": "script-outputs",
    }
    for name, folder in folders.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("HEAT_CONFIG_FIRST_WAIT", "0.001")
    monkeypatch.setenv("HEAT_CONFIG_HOOKS", str(hooks))
    for name in ("HEAT_CONFIG_NOTIFY", "HEAT_CONFIG_CA_FILE", "HEAT_CONFIG_INSECURE", "OS_CACERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(journal.VARIABLE, raising=False)


@pytest.fixture(autouse=True)
def nothing_concealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret is a word like others in the next."""
    monkeypatch.setattr(log, "_masks", [])


@pytest.fixture
def settings() -> Settings:
    return heat_config_settings.load()


@pytest.fixture
def deploy(settings: Settings) -> Any:
    """Write the file of deployments, as os-apply-config does, and run the agent."""
    from heat_config.run import loop as agent

    def run(*items: Any) -> int:
        Path(settings.config_file).write_text(json.dumps(items))
        return agent.run(settings)

    return run


@pytest.fixture
def answer(settings: Settings) -> Any:
    """Read the result that the agent has kept of a config."""

    def read(config_id: str) -> dict[str, Any]:
        path = Path(settings.deployed, f"{config_id}.notify.json")
        content: dict[str, Any] = json.loads(path.read_text())
        return content

    return read
