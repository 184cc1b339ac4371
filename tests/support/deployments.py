# SPDX-License-Identifier: Apache-2.0
"""Deployments as Heat sends them."""

from __future__ import annotations

from typing import Any


def script(text: str, *, config_id: str = "c1", **more: Any) -> dict[str, Any]:
    """A deployment of group script."""
    return {
        "id": config_id,
        "name": f"name-of-{config_id}",
        "group": "script",
        "config": text,
        "inputs": [],
        "outputs": [],
        "options": {},
        "creation_time": "2026-11-22T12:00:00Z",
        **more,
    }


def inputs(**values: Any) -> list[dict[str, Any]]:
    """Inputs with these values."""
    return [{"name": name, "value": value} for name, value in values.items()]


def to(url: str, verb: str = "PUT") -> list[dict[str, Any]]:
    """The inputs of a deployment that is answered at a signed URL."""
    return inputs(deploy_signal_id=url, deploy_signal_verb=verb)


def component(item: dict[str, Any]) -> dict[str, Any]:
    """A SoftwareComponent that has a script's deployment for its CREATE."""
    configs = {"configs": [{"actions": ["CREATE"], "config": item["config"], "tool": "script"}]}
    given = inputs(deploy_action="CREATE")
    return {**item, "group": "component", "config": configs, "inputs": given}
