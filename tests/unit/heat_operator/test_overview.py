# SPDX-License-Identifier: Apache-2.0
"""A stack's deployments as Heat knows them, and the command's exit status."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace as Of
from typing import Any

import pytest

from heat_operator import overview


class Listing:
    def __init__(self, *found: Any) -> None:
        self._found = found

    def list(self, *_of: Any, **_options: Any) -> list[Any]:
        return list(self._found)


class Configs(Listing):
    def get(self, ident: str) -> Any:
        return next(each for each in self._found if each.id == ident)


class Stacks:
    """A stack that has each status in turn, and then the last."""

    def __init__(self, *statuses: str) -> None:
        self._statuses = list(statuses)

    def get(self, name: str) -> Any:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return Of(id=f"{name}/1", stack_status=status)


def resource(
    name: str, physical: str, kind: str = "OS::Heat::SoftwareDeployment", **of: Any
) -> Any:
    return Of(resource_name=name, physical_resource_id=physical, resource_type=kind, **of)


def deployment(ident: str, status: str, reason: str = "") -> Any:
    # As the client has it: what Heat has no value for is not there.
    times = {"creation_time": "2026-01-01T00:00:00Z"}
    of = {"server_id": "s-1", "config_id": "c-1", "action": "CREATE", "status_reason": reason}
    return Of(id=ident, status=status, **of, **times)


def heat(stacks: Stacks, *deployments: Any) -> Any:
    return Of(
        stacks=stacks,
        resources=Listing(
            resource("web", "s-1", "OS::Nova::Server"),
            resource("aliased", "d-1", "My::Own"),
            resource("later", "", parent_resource="group"),
        ),
        software_deployments=Listing(*deployments, deployment("of-another-stack", "FAILED")),
        software_configs=Configs(Of(id="c-1", name="install", group="script", inputs=[])),
    )


def shown(cloud: Any, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, Any]:
    manager = Of(orchestration=cloud, session=Of(verify=True))
    app: Any = Of(client_manager=manager, stdout=sys.stdout)
    made = overview.Overview(app, None)
    parsed = made.get_parser("overview").parse_args(["stack", "-f", "json", *more])
    return made.run(parsed), json.loads(capsys.readouterr().out)


def test_each_deployment_has_a_row_and_a_failure_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cloud = heat(Stacks("CREATE_FAILED"), deployment("d-1", "FAILED", "exited\n with 3"))
    status, (first, second) = shown(cloud, capsys)
    assert status == 1
    assert first == {
        "resource": "aliased",
        "server": "web",
        "config": "install",
        "group": "script",
        "action": "CREATE",
        "state": "failed",
        "reason": "exited with 3",
        "last_word": "2026-01-01T00:00:00Z",
        "deployment": "d-1",
    }
    assert (second["resource"], second["state"]) == ("group/later", "not posted")


@pytest.mark.parametrize(
    ("stack", "state", "said"),
    [
        ("CREATE_IN_PROGRESS", "IN_PROGRESS", (2, "posted")),
        ("CREATE_IN_PROGRESS", "FAILED", (2, "failed")),
        ("CREATE_COMPLETE", "IN_PROGRESS", (2, "posted")),
        ("CREATE_FAILED", "IN_PROGRESS", (1, "posted")),
        ("CREATE_COMPLETE", "FAILED", (1, "failed")),
    ],
)
def test_what_can_still_change_is_unfinished(
    stack: str, state: str, said: tuple[int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = heat(Stacks(stack), deployment("d-1", state))
    status, (first, _) = shown(cloud, capsys, "--wait", "--timeout", "0")
    assert (status, first["state"]) == said


def test_it_waits_until_heat_is_at_the_stack_no_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "_PAUSE", 0)
    cloud = heat(Stacks("CREATE_IN_PROGRESS", "CREATE_COMPLETE"), deployment("d-1", "COMPLETE"))
    cloud.resources = Listing(resource("aliased", "d-1"))
    status, (first,) = shown(cloud, capsys, "--wait")
    assert (status, first["server"], first["state"]) == (0, "s-1", "taken")
