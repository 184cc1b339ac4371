# SPDX-License-Identifier: Apache-2.0
"""The operator's commands: the program ``openstack`` on a stack of the lab's Heat."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from heat_operator import history, page
from heat_operator.spans import Phase
from lab import Lab
from lab.stack import Heat, Stack, wait_for
from tests.support.client import Client, Ended
from tests.support.server import HostServer
from tests.support.stacks import Create
from tests.support.template import template

OVERVIEW = ("software", "deployment", "overview")
TIMELINE = ("software", "deployment", "timeline")
MANY = 6
TIMED = {"config": "sleep 0.2; echo found out", "outputs": [{"name": "deploy_times"}]}
CHECK = ("software", "config", "check")


@pytest.fixture
def client(lab: Lab, tmp_path: Path) -> Client:
    return Client(lab, tmp_path / "client")


def a_stack() -> dict[str, Any]:
    """One deployment for each end; the silent one is in a group, which is a nested stack."""
    made = template(
        server_transport="POLL_SERVER_HEAT",
        signal_transport="HEAT_SIGNAL",
        deployments={
            "well": {"config": "", "outputs": [{"name": "deploy_times"}]},
            "ill": {"config": ""},
            "silent": {"config": ""},
        },
    )
    properties = made["resources"].pop("silent_deployment")["properties"]
    servers = {"one": properties.pop("server")}
    made["resources"]["silent"] = {
        "type": "OS::Heat::SoftwareDeploymentGroup",
        "properties": {**properties, "servers": servers},
    }
    made["outputs"] = {}
    return made


def waiting(heat: Heat, stack: Stack) -> int:
    """How many deployments wait for an answer."""
    server = heat.api.resources.get(stack.id, "server").physical_resource_id
    found = heat.api.software_deployments.list(server_id=server) if server else []
    return [each.status for each in found].count("IN_PROGRESS")


def test_a_stacks_deployments_and_their_time_are_shown(
    heat: Heat, create_stack: Create, client: Client, tmp_path: Path
) -> None:
    """One succeeds, one fails, one is never answered; the stack fails."""
    stack = create_stack(a_stack())
    wait_for("the deployments", lambda: waiting(heat, stack) == 3)
    now = time.time()
    answer = {"deploy_status_code": 0, "deploy_times": {"begun": now - 0.5, "ended": now}}
    heat.api.resources.signal(stack.id, "well_deployment", answer)

    waited = client.run(*OVERVIEW, stack.id, "-f", "json", "--wait", "--timeout", "1")
    assert (waited.status, states(waited)) == (
        2,
        {"well_deployment": "taken", "ill_deployment": "posted", "silent/one": "posted"},
    )

    heat.api.resources.signal(stack.id, "ill_deployment", {"deploy_status_code": 3})
    ended = client.run(*OVERVIEW, stack.id, "-f", "json", "--wait")
    assert (ended.status, states(ended)) == (
        1,
        {"well_deployment": "taken", "ill_deployment": "failed", "silent/one": "posted"},
    )
    reasons = {row["resource"]: row["reason"] for row in ended.rows()}
    assert "non-zero status code: 3" in reasons["ill_deployment"]
    assert {row["server"] for row in ended.rows()} == {"server"}

    shown = client.run(*TIMELINE, stack.id, "--html", str(tmp_path / "page.html"))
    assert shown.status == 0, shown.err
    written = (tmp_path / "page.html").read_text()
    assert re.search(r"well_deployment: hook: 0\.[0-9] s", written)
    assert all(each in written for each in ("critical path: ", "failed<", "unfinished<"))


def test_the_time_of_many_deployments_is_what_heats_events_say(
    heat: Heat, create_stack: Create, server: HostServer
) -> None:
    """All over Zaqar, with the real agent; what the scripts write is in no picture."""
    stack = create_stack(
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={f"d{number}": TIMED for number in range(MANY)},
        )
    )
    server.boot(stack.wait_for_server())
    assert stack.wait("CREATE", server.poll) == "COMPLETE", stack.reason

    found = history.timeline(heat.api, stack.id)
    rows = {row.name: row for row in found.rows if row.name != "server"}
    events = list(heat.api.events.list(stack.id, sort_dir="asc"))
    assert len(rows) == MANY
    assert {row.status for row in found.rows} == {"COMPLETE"}
    assert found.seconds == seconds_between(events, heat.api.stacks.get(stack.id).stack_name)
    for name, row in rows.items():
        assert abs(row.seconds - seconds_between(events, name)) <= 1, name
        (hook,) = (each for each in row.spans if each.phase is Phase.HOOK)
        assert hook.seconds >= 0.2, name
    assert len(found.path) >= 2
    assert "found out" not in page.html(found)


def seconds_between(events: list[Any], name: str) -> float:
    """From a resource's first event to its last, as Heat shows them."""
    times = [
        datetime.fromisoformat(each.event_time.removesuffix("Z"))
        for each in events
        if each.resource_name == name and not each.resource_status.startswith("SIGNAL")
    ]
    return (times[-1] - times[0]).total_seconds()


def test_a_cloud_that_has_all_fits(client: Client) -> None:
    done = client.run(*CHECK, "-f", "json")
    assert done.status == 0, (done.out, done.err)
    assert [row["what"] for row in done.rows() if row["state"] == "ok"] == [
        *("Keystone", "catalog", "clocks", "Heat", "plug-in", "Zaqar", "limits", "[signed_url]"),
        "websocket",
    ]


def test_zaqar_that_is_away_is_named_with_what_helps(lab: Lab, client: Client) -> None:
    lab.stop("zaqar")
    try:
        done = client.run(*CHECK, "-f", "json")
    finally:
        lab.start("zaqar")
    missing = {row["what"]: row["remedy"] for row in done.rows() if row["state"] == "MISSING"}
    assert done.status == 1
    assert set(missing) == {"Zaqar"}
    assert missing["Zaqar"].startswith("start Zaqar")


def states(ended: Ended) -> dict[str, str]:
    assert ended.out, ended.err
    return {row["resource"]: row["state"] for row in ended.rows()}
