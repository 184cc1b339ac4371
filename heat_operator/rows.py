# SPDX-License-Identifier: Apache-2.0
"""What Heat knows of a stack's deployments, a row for each."""

from __future__ import annotations

from collections.abc import Callable
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


class Said(NamedTuple):
    """What a server says of a deployment, in place of what Heat knows of it."""

    state: str
    last_word: str


Asked = Callable[[Any], Said | None]


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


def overview(heat: Any, stack: str, word: Asked = lambda _: None) -> Overview:
    """Ask Heat, in a few requests however many deployments there are.

    ``word``: what a server says of one that is in progress, with a request of its own.
    Raises heatclient.exc.HTTPException and keystoneauth1's ClientException.
    """
    found = heat.stacks.get(stack)
    resources = heat.resources.list(found.id, nested_depth=DEPTH)
    deployments = {each.id: each for each in heat.software_deployments.list()}
    configs = {each.id: each for each in heat.software_configs.list()}
    return Overview(found.stack_status, sorted(_rows(resources, deployments, configs, word)))


def deployments(heat: Any, stack: str) -> tuple[str, list[tuple[str, Any]]]:
    """The stack's own status, and its deployments with their full names.

    Raises as :func:`overview` does.
    """
    found = heat.stacks.get(stack)
    known = {each.id: each for each in heat.software_deployments.list()}
    resources = heat.resources.list(found.id, nested_depth=DEPTH)
    named = [(full_name(each), known.get(each.physical_resource_id)) for each in resources]
    return found.stack_status, sorted(
        ((name, each) for name, each in named if each), key=lambda one: (one[0], one[1].id)
    )


def _rows(
    resources: Iterable[Any],
    deployments: dict[str, Any],
    configs: dict[str, Any],
    word: Asked,
) -> Iterator[Row]:
    resources = list(resources)
    names = {each.physical_resource_id: each.resource_name for each in resources}
    for each in resources:
        deployment = deployments.get(each.physical_resource_id)
        if deployment:
            server = names.get(deployment.server_id, deployment.server_id)
            row = _row(full_name(each), server, deployment, configs.get(deployment.config_id))
            said = word(deployment) if row.state == "posted" else None
            yield row._replace(state=said.state, last_word=said.last_word) if said else row
        elif each.resource_type in _TYPES:
            yield Row(full_name(each), "", "", "", "", "not posted", "", "", "")


def full_name(resource: Any) -> str:
    """Of one in a nested stack with the resource that this stack is: a group's are 0, 1, …"""
    parent = _field(resource, "parent_resource")
    return f"{parent}/{resource.resource_name}" if parent else str(resource.resource_name)


def _row(resource: str, server: str, deployment: Any, config: Any) -> Row:
    state, reason = state_of(deployment)
    return Row(
        resource,
        server,
        getattr(config, "name", deployment.config_id),
        getattr(config, "group", ""),
        _field(deployment, "action") or "",
        state,
        reason,
        last_word(deployment),
        deployment.id,
    )


def state_of(deployment: Any) -> tuple[str, str]:
    """Heat's word on a deployment, and its reason in one line."""
    state = _STATES.get(deployment.status, str(deployment.status))
    # Of a deployment that is taken it says only that.
    reason = "" if state == "taken" else _field(deployment, "status_reason") or ""
    return state, " ".join(reason.split())


def last_word(deployment: Any) -> str:
    """When Heat changed it last, by Heat's clock."""
    return str(_field(deployment, "updated_time") or deployment.creation_time)


def _field(found: Any, name: str) -> Any:
    """What Heat says of something; what it has no value for it leaves out."""
    return getattr(found, name, None)
