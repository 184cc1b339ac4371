# SPDX-License-Identifier: Apache-2.0
"""A stack's last action as a timeline: what Heat's events and its deployments say of it."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config.result import TIMES
from heat_config.terminal import shown
from heat_operator import spans
from heat_operator.rows import DEPTH, full_name, last_word

if TYPE_CHECKING:
    from collections.abc import Iterator

_YEAR = 366 * 86_400
_ENDS = ("COMPLETE", "FAILED")


class Change(NamedTuple):
    """What the action has done to one resource."""

    begin: float
    end: float
    status: str


# A resource is known by its stack's id and its own name in it.
_Key = tuple[str, str]


class History(NamedTuple):
    """What Heat knows of a stack's last action."""

    stack: Any
    resources: list[Any]
    deployments: dict[str, Any]
    whole: Change
    changes: dict[_Key, Change]


def timeline(heat: Any, stack: str) -> spans.Timeline:
    """Ask Heat, in a few requests however many deployments there are.

    Raises heatclient.exc.HTTPException and keystoneauth1's ClientException.
    """
    found = heat.stacks.get(stack, resolve_outputs=False)
    events = list(heat.events.list(found.id, nested_depth=DEPTH, sort_dir="asc"))
    resources = list(heat.resources.list(found.id, nested_depth=DEPTH))
    deployments = {each.id: each for each in heat.software_deployments.list()}
    whole, changes = _changes(found, events, time.time())
    return drawn(History(found, resources, deployments, whole, changes))


def drawn(history: History) -> spans.Timeline:
    """The rows, by server and then in their order, and which of them the end had to wait for."""
    path = list(_path(history))
    critical = {_key(each) for each in path}
    rows = sorted(_rows(history, critical), key=_order)
    notes = {
        f"{row.server}: its clock is off by {row.moved:.0f} s or more; moved"
        for row in rows
        if row.moved
    }
    stack, whole = history.stack, history.whole
    return spans.Timeline(
        f"{shown(stack.stack_name)}: {stack.stack_status}",
        whole.begin,
        whole.end,
        tuple(rows),
        tuple(_steps(history, path)),
        tuple(sorted(notes)),
    )


def _order(row: spans.Row) -> tuple[str, float, str]:
    begin = min(each.begin for each in row.spans if each.phase is not spans.Phase.WAITS)
    return row.server, begin, row.name


def _changes(stack: Any, events: list[Any], now: float) -> tuple[Change, dict[_Key, Change]]:
    """The stack's last action, and what it did to each resource. ``events``: in their order.

    What has not ended with the stack was left by it: nobody waits for it any more.
    """
    events = events[_begin(stack, events) :]
    now = max(now, *map(_seconds, events[-1:]))
    whole = Change(_seconds(events[0]) if events else now, now, "IN_PROGRESS")
    found: dict[_Key, list[tuple[float, str]]] = {}
    for each in events:
        action, _, status = each.resource_status.partition("_")
        if each.physical_resource_id == stack.id:
            whole = _change([(whole.begin, ""), (_seconds(each), status)], now, "IN_PROGRESS")
        elif action != "SIGNAL":
            found.setdefault(_key(each), []).append((_seconds(each), status))
    left = "IN_PROGRESS" if whole.status == "IN_PROGRESS" else "UNFINISHED"
    return whole, {key: _change(seen, whole.end, left) for key, seen in found.items()}


def _begin(stack: Any, events: list[Any]) -> int:
    """Where the last action begins: at 0 where that is lost, as Heat keeps the newest events."""
    begins = (
        number
        for number, each in enumerate(events)
        if each.physical_resource_id == stack.id and each.resource_status.endswith("_IN_PROGRESS")
    )
    return max(begins, default=0)


def _change(seen: list[tuple[float, str]], now: float, otherwise: str) -> Change:
    """From the first to the last; ``otherwise``: its status where it has not ended ``now``."""
    begin, (moment, status) = seen[0][0], seen[-1]
    if status in _ENDS:
        return Change(begin, moment, status)
    return Change(begin, max(now, begin), otherwise)


def _rows(history: History, critical: set[_Key]) -> Iterator[spans.Row]:
    """Of each server and each deployment that the action has changed."""
    servers = {each.server_id for each in history.deployments.values()}
    names = {each.physical_resource_id: shown(full_name(each)) for each in history.resources}
    for each in history.resources:
        change = history.changes.get(_key(each))
        if change is None:
            continue
        physical, moved = each.physical_resource_id, 0.0
        if deployment := history.deployments.get(physical):
            server = names.get(deployment.server_id, deployment.server_id)
            known, moved = spans.skewed(_moments(history.whole, change, deployment))
            parts = spans.of_deployment(known)
        elif physical in servers:
            server = names[physical]
            parts = spans.of_server(history.whole.begin, change.begin, change.end)
        else:
            continue
        is_critical = _key(each) in critical
        yield spans.Row(server, names[physical], change.status, parts, is_critical, moved)


def _moments(whole: Change, change: Change, deployment: Any) -> spans.Moments:
    """What is known of a deployment; an answer to an action of before says nothing of this one."""
    moments = spans.Moments(whole.begin, change.begin, change.end, change.end)
    answered = _parsed(last_word(deployment))
    if deployment.status == "IN_PROGRESS" or answered < change.begin:
        return moments
    begun, ended = _times(deployment)
    return moments._replace(answered=min(answered, change.end), begun=begun, ended=ended)


def _times(deployment: Any) -> tuple[float | None, float | None]:
    """When its hook ran, as the agent says it in the output of that name."""
    values = getattr(deployment, "output_values", None) or {}
    with suppress(KeyError, TypeError, ValueError):
        times = values[TIMES]
        begun, ended = float(times["begun"]), float(times["ended"])
        # It is a server's word, and may be anything; no hook runs longer than a year.
        if 0 <= ended - begun < _YEAR:
            return begun, ended
    return None, None


def _path(history: History) -> Iterator[Any]:
    """The resources that the action's end had to wait for, the last one first.

    From each to the one that ended last of those which it needs, and into nested stacks.
    """
    below: dict[str, list[Any]] = {}
    for each in history.resources:
        change = history.changes.get(_key(each))
        if change and change.status != "UNFINISHED":
            below.setdefault(_key(each)[0], []).append(each)

    def ended(resource: Any) -> float:
        return history.changes[_key(resource)].end

    def walk(stack: str) -> Iterator[Any]:
        left = below.get(stack, [])
        while left:
            last = max(left, key=ended)
            inner = list(walk(last.physical_resource_id))
            yield from inner or [last]
            left = [each for each in below[stack] if last.resource_name in (each.required_by or [])]

    yield from walk(history.stack.id)


def _steps(history: History, path: list[Any]) -> Iterator[spans.Step]:
    before = history.whole.begin
    for each in reversed(path):
        end = history.changes[_key(each)].end
        yield spans.Step(shown(full_name(each)), end - before)
        before = end


def _key(found: Any) -> _Key:
    """Of a resource or an event."""
    (stack,) = (each["href"] for each in found.links if each["rel"] == "stack")
    return stack.rpartition("/")[2], found.resource_name


def _seconds(event: Any) -> float:
    return _parsed(event.event_time)


def _parsed(moment: str) -> float:
    """Heat's times are in UTC."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
