# SPDX-License-Identifier: Apache-2.0
"""No secret leaves: what Heat gives a server to answer with is in nothing that is written.

Each transport is used twice, by a script that prints all that it can find: once as
ever, once with the option ``credentials``, with which a script is given them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import pytest

from lab.stack import Heat, Stack, wait_for
from tests.support.server import HostServer
from tests.support.template import template

# Prints all that it can find, and stays there until it was looked at.
NOSY = """#!/bin/bash
env
set
cat "$0"
tr '\\0' '\\n' < /proc/self/environ
tr '\\0' ' ' < /proc/$PPID/cmdline
tr '\\0' '\\n' < /proc/$PPID/environ
cat /proc/$PPID/fd/0
cat {deployed}/*.json {root}/var/run/heat-config/heat-config
echo "$deploy_password $deploy_user_id" >&2
echo "$deploy_signal_id, $deploy_auth_url" >&2
printf %s "$deploy_password$deploy_signal_id" > $heat_outputs_path.found
touch {seen}/${{heat_outputs_path##*/}}
until [ -e {seen}/${{heat_outputs_path##*/}}.go-on ]; do sleep 0.01; done
"""
TRANSPORTS = ("ZAQAR_SIGNAL", "HEAT_SIGNAL", "CFN_SIGNAL", "TEMP_URL_SIGNAL")
ASKS = {"credentials": True}


def planted() -> str:
    return f"planted-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> HostServer:
    return HostServer(tmp_path_factory.mktemp("secrets") / "server")


@pytest.fixture(scope="module")
def seen(server: HostServer) -> Path:
    """Where scripts say that they are there to be looked at."""
    folder = server.root / "seen"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def stack(heat: Heat, server: HostServer, seen: Path) -> Iterator[Stack]:
    script = NOSY.format(deployed=server.deployed, root=server.root, seen=seen)
    outputs = [{"name": "found"}]
    wanted = {
        name_of(transport, asks=asks): {"config": script, "outputs": outputs}
        for transport in TRANSPORTS
        for asks in (False, True)
    }
    made = template(
        server_transport="ZAQAR_MESSAGE", signal_transport="NO_SIGNAL", deployments=wanted
    )
    for transport in TRANSPORTS:
        for asks in (False, True):
            name = name_of(transport, asks=asks)
            properties = made["resources"][f"{name}_deployment"]["properties"]
            properties["signal_transport"] = transport
            if asks:
                made["resources"][f"{name}_config"]["properties"]["options"] = ASKS
    created = heat.create(f"secrets-{uuid.uuid4().hex[:8]}", made)
    yield created
    heat.api.stacks.delete(created.id)


def name_of(transport: str, *, asks: bool) -> str:
    return transport.lower() + ("_asks" if asks else "")


@pytest.fixture(scope="module")
def items(heat: Heat, stack: Stack) -> list[dict[str, Any]]:
    """What the server is asked for, with more secrets than Heat itself has put there."""

    def found() -> Any:
        assert stack.state != "CREATE_FAILED", stack.reason
        deployments = heat.api.resources.metadata(stack.id, "server").get("deployments", [])
        return deployments if len(deployments) == 2 * len(TRANSPORTS) else None

    asked: list[dict[str, Any]] = wait_for("the deployments", found)
    return [with_user(item) for item in asked]


def with_user(item: dict[str, Any]) -> dict[str, Any]:
    """Plant a user and a password in its URLs, as an operator may have put them there."""

    def changed(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["name"] not in ("deploy_auth_url", "deploy_signal_id") or not entry["value"]:
            return entry
        url = urlsplit(entry["value"])
        url = url._replace(netloc=f"{planted()}:{planted()}@{url.netloc}")
        return {**entry, "value": urlunsplit(url)}

    return {**item, "inputs": [changed(entry) for entry in item["inputs"]]}


SIGNATURES = ("Signature", "AWSAccessKeyId", "temp_url_sig")


def secrets_of(items: list[dict[str, Any]]) -> set[str]:
    """What must be nowhere; found without the agent's own idea of a secret."""
    found: list[str | None] = []
    for item in items:
        values = {entry["name"]: entry["value"] for entry in item["inputs"]}
        found += [values.get("deploy_password"), values.get("deploy_user_id")]
        for name in ("deploy_auth_url", "deploy_signal_id"):
            url = urlsplit(values.get(name) or "")
            found.append(url.password)
            found += [value for key, value in parse_qsl(url.query) if key in SIGNATURES]
    return {secret for secret in found if secret}


def leaks(text: str, secrets: set[str]) -> list[str]:
    return sorted(secret for secret in secrets if secret in text or secret in unquote(text))


class Seen:
    """What was to be seen while the scripts ran, and after."""

    def __init__(self) -> None:
        self.arguments = ""
        """The command lines of all the machine's processes."""
        self.environments: dict[str, str] = {}
        """For each deployment the environments of all of the agent's processes."""
        self.open_files: list[Path] = []
        """Files that others can read, and that hold a secret."""
        self.stderr = ""


@pytest.fixture(scope="module")
def looked_at(server: HostServer, items: list[dict[str, Any]], seen: Path) -> Seen:
    """Run all deployments, and look around while each of the scripts waits for that."""
    result = Seen()
    server.asks_for(items)
    ended: list[subprocess.CompletedProcess[str]] = []
    agent = Thread(target=lambda: ended.append(server.run("heat-config", "run")))
    agent.start()
    for item in items:
        wait_for(f"the script of {item['name']}", (seen / item["id"]).exists)
        result.arguments += "".join(every("cmdline"))
        marker = f"HEAT_CONFIG_DEPLOYED={server.deployed}"
        environments = [each for each in every("environ") if marker in each]
        assert len(environments) >= 3  # the agent's, the hook's, the script's
        result.environments[item["name"]] = "".join(environments)
        result.open_files += open_files(server.root, secrets_of(items))
        (seen / f"{item['id']}.go-on").touch()
    agent.join()
    result.stderr = ended[0].stderr
    result.open_files += open_files(server.root, secrets_of(items))
    return result


def every(name: str) -> Iterator[str]:
    """That file of each process."""
    for path in Path("/proc").glob(f"[0-9]*/{name}"):
        with suppress(OSError):
            yield path.read_bytes().decode(errors="replace")


def open_files(root: Path, secrets: set[str]) -> list[Path]:
    """Files with a secret in them that not only their owner can get at."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [each for each in folders if Path(folder, each).stat().st_mode & 0o077]
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):  # a temporary one
                if path.stat().st_mode & 0o077 and leaks(path.read_text("latin-1"), secrets):
                    found.append(path)
    return found


@pytest.fixture(scope="module")
def secrets(items: list[dict[str, Any]]) -> set[str]:
    found = secrets_of(items)
    # Of each item two planted in a URL or a password and a user id; of three the URL is signed.
    assert len(found) >= 2 * len(items)
    return found


NAMES = [name_of(transport, asks=asks) for transport in TRANSPORTS for asks in (False, True)]


def test_results_on_their_way_hold_none(looked_at: Seen, stack: Stack, secrets: set[str]) -> None:
    assert looked_at.stderr.count("was accepted by") == len(NAMES)
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    for transport in TRANSPORTS:
        for asks in (False, True):
            name = name_of(transport, asks=asks)
            for part in ("deploy_stdout", "deploy_stderr", "found"):
                value = str(stack.output(f"{name}.{part}"))
                assert leaks(value, secrets) == []
            assert "heat_outputs_path" in stack.output(f"{name}.deploy_stdout")
            assert "***" in stack.output(f"{name}.deploy_stdout")


def test_the_journal_holds_none(looked_at: Seen, secrets: set[str]) -> None:
    assert "***" in looked_at.stderr
    assert leaks(looked_at.stderr, secrets) == []


def test_logs_and_kept_results_hold_none(
    looked_at: Seen, server: HostServer, items: list[dict[str, Any]], secrets: set[str]
) -> None:
    assert looked_at
    logs = list((server.root / "var/log/heat-config").iterdir())
    results = list(server.deployed.glob("*.notify.json"))
    assert len(logs) == len(results) == len(items)
    for path in (*logs, *results):
        assert leaks(path.read_text(), secrets) == [], path
        assert path.stat().st_mode & 0o777 == 0o600


def test_no_command_line_holds_one(looked_at: Seen, secrets: set[str]) -> None:
    assert "heat-config-script/" in looked_at.arguments
    assert leaks(looked_at.arguments, secrets) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_holds_one_only_if_that_is_asked_for(
    looked_at: Seen, secrets: set[str], name: str
) -> None:
    found = leaks(looked_at.environments[name], secrets)
    # deploy_auth_url describes the deployment; its user and password do not.
    assert bool(found) == name.endswith("_asks")


def test_no_file_that_others_can_read_holds_one(
    looked_at: Seen, server: HostServer, secrets: set[str]
) -> None:
    assert looked_at.open_files == []
    # Its owner's own files do hold them.
    private = "".join(path.read_text() for path in server.deployed.glob("*.json"))
    assert set(leaks(private, secrets)) == secrets


@pytest.mark.usefixtures("looked_at")
@pytest.mark.parametrize("command", [["status"], ["status", "--format", "json"]])
def test_what_an_operator_is_shown_holds_none(
    server: HostServer, secrets: set[str], command: list[str]
) -> None:
    shown = server.run("heat-config", *command)
    assert shown.stdout.count("delivered") == len(NAMES)
    assert leaks(shown.stdout + shown.stderr, secrets) == []


@pytest.mark.usefixtures("looked_at")
@pytest.mark.parametrize(
    ("damage", "said"), [("port", " is kept: "), ("scheme", " is abandoned: ")]
)
def test_an_error_holds_none(
    server: HostServer, items: list[dict[str, Any]], secrets: set[str], damage: str, said: str
) -> None:
    """The same deployments, answered to where nobody listens, or to what is no address."""
    again = [{**damaged(item, damage), "id": f"{damage}-{item['id']}"} for item in items]
    for item in again:
        item["config"] = "#!/bin/sh\ntrue"
    server.asks_for(again)
    ran = server.run("env", "HEAT_CONFIG_FIRST_WAIT=0.001", "heat-config", "run")
    delivered = server.run("env", "HEAT_CONFIG_FIRST_WAIT=0.001", "heat-config", "deliver")
    shown = server.run("heat-config", "status")
    assert said in ran.stderr + delivered.stderr
    assert leaks(ran.stderr + delivered.stderr + shown.stdout, secrets) == []
    for name in ("", "abandoned"):
        for path in (server.root / "var/lib/heat-config/outbox" / name).glob("*.json"):
            assert leaks(json.loads(path.read_text())["problem"], secrets) == []
            assert path.stat().st_mode & 0o777 == 0o600
            path.unlink()


def damaged(item: dict[str, Any], how: str) -> dict[str, Any]:
    def changed(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["name"] not in ("deploy_auth_url", "deploy_signal_id") or not entry["value"]:
            return entry
        url = entry["value"]
        broken = (
            url.replace("http:", "htp:", 1)
            if how == "scheme"
            else re.sub(r"@127\.0\.0\.1:\d+", "@127.0.0.1:1", url)
        )
        assert broken != url
        return {**entry, "value": broken}

    return {**item, "inputs": [changed(entry) for entry in item["inputs"]]}
