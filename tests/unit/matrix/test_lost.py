# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lab.stack import Stack
from matrix import lost
from matrix.cells import Side, every, may_lose
from matrix.life import without_deployments
from tests.support.template import template


def event(number: int, deployment: str, reason: str = lost.IGNORED) -> Any:
    return SimpleNamespace(
        id=str(number),
        physical_resource_id=deployment,
        resource_status="SIGNAL_FAILED",
        resource_status_reason=reason,
    )


def api(events: list[Any], **deployments: str) -> Any:
    """What Heat says: its events, and the state of each deployment."""
    found = [SimpleNamespace(id=name, status=status) for name, status in deployments.items()]
    server = SimpleNamespace(physical_resource_id="server")
    return SimpleNamespace(
        events=SimpleNamespace(list=lambda _: events),
        resources=SimpleNamespace(get=lambda *_: server),
        software_deployments=SimpleNamespace(list=lambda **_: found),
    )


IGNORED = event(1, "old")


@pytest.mark.parametrize(
    ("events", "new", "before", "wanted"),
    [
        ([IGNORED], "IN_PROGRESS", set(), True),
        ([IGNORED], "COMPLETE", set(), False),
        ([IGNORED], "IN_PROGRESS", {lost.Signal("1", "old")}, False),
        ([event(1, "new")], "IN_PROGRESS", set(), False),
        ([event(1, "old", "Signal: deployment old failed (7)")], "IN_PROGRESS", set(), False),
        ([], "IN_PROGRESS", set(), False),
    ],
)
def test_lost_is_what_heat_says_that_it_has_ignored(
    events: list[Any], new: str, before: set[lost.Signal], wanted: bool
) -> None:
    said = api(events, old="FAILED", new=new)
    assert lost.is_lost(said, Stack(said, "stack"), before) is wanted


def test_heat_alone_may_lose_what_comes_by_its_api() -> None:
    """With the plug-in nothing is lost, and nothing is excused."""
    may = [cell for cell in every() if may_lose(cell)]
    assert len(may) == 8
    assert {cell.side for cell in may} == {Side.HEAT}
    assert {cell.way_out for cell in may} == {"HEAT_SIGNAL", "CFN_SIGNAL"}


def test_a_stack_without_its_deployments_keeps_its_server() -> None:
    full = template(
        server_transport="POLL_SERVER_HEAT",
        signal_transport="HEAT_SIGNAL",
        deployments={"step": {"config": ""}},
    )
    left = without_deployments(full)
    assert left["resources"] == {"server": full["resources"]["server"]}
    assert left["outputs"] == {}
