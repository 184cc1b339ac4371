# SPDX-License-Identifier: Apache-2.0
"""What Heat knows of a stack's deployments, a row for each."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# How deep Heat looks for nested stacks: groups are such, and so are templates in templates.
DEPTH = 20

# What is a deployment before Heat has made one of it.
_TYPES = frozenset(
    f"OS::Heat::{kind}"
    for kind in ("SoftwareDeployment", "SoftwareComponent", "StructuredDeployment")
)

_STATES = {"COMPLETE": "taken", "FAILED": "failed", "IN_PROGRESS": "posted"}


class Status(IntEnum):
    """The command's exit status, as ``heat-config status`` has them."""

    WELL = 0
    FAILED = 1
    UNFINISHED = 2


class Row(NamedTuple):
    """A deployment; its columns are these, in this order."""

    resource: str
    server: str
    config: str
    group: str
    action: str
    state: str
    reason: str
    last_word: str
    deployment: str


class Overview(NamedTuple):
    """A stack's rows, and its own status, which ends with IN_PROGRESS, COMPLETE or FAILED."""

    stack_status: str
    rows: list[Row]

    def in_progress(self) -> bool:
        """Whether Heat still works at the stack; what it does no more will not change."""
        return self.stack_status.endswith("_IN_PROGRESS")

    def status(self) -> Status:
        """While Heat is at it more can fail; then a failure comes before what was left."""
        states = {row.state for row in self.rows}
        if self.in_progress():
            return Status.UNFINISHED
        if "failed" in states or self.stack_status.endswith("_FAILED"):
            return Status.FAILED
        return Status.UNFINISHED if states - {"taken"} else Status.WELL


def overview(heat: Any, stack: str) -> Overview:
    """Ask Heat, in a few requests however many deployments there are.

    Raises heatclient.exc.HTTPException and keystoneauth1's ClientException.
    """
    found = heat.stacks.get(stack)
    resources = heat.resources.list(found.id, nested_depth=DEPTH)
    deployments = {each.id: each for each in heat.software_deployments.list()}
    configs = {each.id: each for each in heat.software_configs.list()}
    return Overview(found.stack_status, sorted(_rows(resources, deployments, configs)))


def _rows(
    resources: Iterable[Any], deployments: dict[str, Any], configs: dict[str, Any]
) -> Iterator[Row]:
    resources = list(resources)
    names = {each.physical_resource_id: each.resource_name for each in resources}
    for each in resources:
        deployment = deployments.get(each.physical_resource_id)
        if deployment:
            server = names.get(deployment.server_id, deployment.server_id)
            yield _row(full_name(each), server, deployment, configs.get(deployment.config_id))
        elif each.resource_type in _TYPES:
            yield Row(full_name(each), "", "", "", "", "not posted", "", "", "")


def full_name(resource: Any) -> str:
    """Of one in a nested stack with the resource that this stack is: a group's are 0, 1, …"""
    parent = _field(resource, "parent_resource")
    return f"{parent}/{resource.resource_name}" if parent else str(resource.resource_name)


def _row(resource: str, server: str, deployment: Any, config: Any) -> Row:
    state = _STATES.get(deployment.status, str(deployment.status))
    return Row(
        resource,
        server,
        getattr(config, "name", deployment.config_id),
        getattr(config, "group", ""),
        _field(deployment, "action") or "",
        state,
        # Of a deployment that is taken it says only that.
        "" if state == "taken" else " ".join((_field(deployment, "status_reason") or "").split()),
        last_word(deployment),
        deployment.id,
    )


def last_word(deployment: Any) -> str:
    """When Heat changed it last, by Heat's clock."""
    return str(_field(deployment, "updated_time") or deployment.creation_time)


def _field(found: Any, name: str) -> Any:
    """What Heat says of something; what it has no value for it leaves out."""
    return getattr(found, name, None)
