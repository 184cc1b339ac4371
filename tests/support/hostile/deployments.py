# SPDX-License-Identifier: Apache-2.0
"""Deployments of which one part is not what it must be, by that part."""

from __future__ import annotations

import json
from typing import Any

from tests.support.hostile.values import VALUES

PARTS = ("id", "name", "group", "config", "inputs", "outputs", "options", "creation_time")
# The values of these inputs say where a result goes, and how.
ADDRESS = (
    *("deploy_signal_id", "deploy_signal_verb", "deploy_signal_transport", "deploy_queue_id"),
    *("deploy_auth_url", "deploy_user_id", "deploy_password", "deploy_action"),
    *("deploy_stack_id", "deploy_resource_name", "deploy_server_id"),
)
# Of the values, those that are told apart there.
OF_AN_ADDRESS = (
    *("null", "zero", "negative", "empty list", "map of a map", "nested 988"),
    *("lone surrogate", "NUL", "newline", "path", "a megabyte"),
)
OF_AN_OPTION = ("null", "negative", "huge number", "NaN", "empty map", "shell")
OPTIONS = ("timeout", "interrupted", "on_removed", "modulepath", "tags")

_PLACE = "the-hostile-value"


def inputs(good: dict[str, Any]) -> dict[str, dict[str, str]]:
    """All of them as JSON texts, by part and value; the rest of each is that of a good one."""
    found = {part: _with(good, part, VALUES) for part in PARTS}
    for name in ADDRESS:
        values = {each: VALUES[each] for each in OF_AN_ADDRESS}
        found[name] = {each: _with_input(good, name, text) for each, text in values.items()}
    for name in OPTIONS:
        values = {each: VALUES[each] for each in OF_AN_OPTION}
        item = json.dumps({**good, "options": {name: _PLACE}})
        found[f"option {name}"] = _put(item, values)
    data = {**good, "group": "os-apply-config", "config": {"k": 1}}
    for part in ("name", "config"):
        found[f"{part} of data"] = _with(data, part, VALUES)
    found["the whole"] = dict(VALUES)
    return found


def _with(good: dict[str, Any], part: str, values: dict[str, str]) -> dict[str, str]:
    return _put(json.dumps({**good, part: _PLACE}), values)


def _with_input(good: dict[str, Any], name: str, text: str) -> str:
    others = [each for each in good["inputs"] if each["name"] != name]
    item = {**good, "inputs": [*others, {"name": name, "value": _PLACE}]}
    return json.dumps(item).replace(json.dumps(_PLACE), text)


def _put(item: str, values: dict[str, str]) -> dict[str, str]:
    return {name: item.replace(json.dumps(_PLACE), text) for name, text in values.items()}
