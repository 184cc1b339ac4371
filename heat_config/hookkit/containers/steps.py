# SPDX-License-Identifier: Apache-2.0
"""The containers of a config of the group ``docker-cmd``, read and checked.

Their options are those of docker-compose's first format, with ``action``,
``start_order`` and ``exit_codes`` beside them (heat-agents, ``hook-docker-cmd.py``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from heat_config import hookkit
from heat_config.data import as_text

# Option, the argument that each part of its list becomes.
LISTS = {
    "env_file": "--env-file",
    "labels": "--label",
    "volumes": "--volume",
    "volumes_from": "--volumes-from",
}
VALUES = {"run": ("net", "pid", "privileged", "restart", "user"), "exec": ("privileged", "user")}


class Step(NamedTuple):
    """One container of the config: what is run, and which exit codes are fine."""

    name: str
    action: str
    """``run``, or ``exec``: a command in a container that runs."""
    arguments: list[str]
    """Of ``docker run``, or of ``docker exec``."""
    environment: list[str]
    """``NAME=value``, or a name alone: nothing of it may become an argument."""
    image: str
    """Of ``run``."""
    command: list[str]
    """Of ``exec`` the container's name is its first word."""
    exit_codes: list[int]
    order: int


def read(config: object) -> list[Step]:
    """The config's containers in the order in which they are run.

    :raises hookkit.HookError: one cannot be run; the message names it.
    """
    wanted = hookkit.map_of(config or None, "the config")
    return sorted(
        (_step(str(name), data) for name, data in wanted.items()), key=lambda it: it.order
    )


def _step(name: str, data: object) -> Step:
    what = f"the container {name!r}"
    if not isinstance(data, dict):
        raise hookkit.HookError(f"{what} is {hookkit.kind(data)}, not a map")
    action, order = data.get("action", "run"), data.get("start_order", 0)
    if action not in VALUES:
        raise hookkit.HookError(f"{what}: the action {action!r} is neither 'run' nor 'exec'")
    if not isinstance(order, int):
        raise hookkit.HookError(f"{what}: 'start_order' is {hookkit.kind(order)}, not a number")
    command = hookkit.words(data.get("command"), f"{what}: 'command'")
    if action == "exec" and not command:
        raise hookkit.HookError(f"{what}: 'command' must name a container and a command")
    if action == "run" and not data.get("image"):
        raise hookkit.HookError(f"{what} has no 'image'")
    return Step(
        name,
        action,
        _arguments(data, action, what),
        hookkit.texts(data.get("environment"), f"{what}: environment") if action == "run" else [],
        str(data.get("image", "")),
        command,
        _exit_codes(data, what),
        order,
    )


def _exit_codes(data: dict[str, Any], what: str) -> list[int]:
    codes = data.get("exit_codes", [0])
    if not isinstance(codes, list) or not all(isinstance(code, int) for code in codes):
        raise hookkit.HookError(f"{what}: 'exit_codes' is not a list of numbers")
    return codes


def _arguments(data: dict[str, Any], action: str, what: str) -> list[str]:
    values = {name: as_text(data[name]) for name in VALUES[action] if name in data}
    if "privileged" in values:
        values["privileged"] = values["privileged"].lower()
    found = [f"--{name}={value}" for name, value in values.items()]
    if action == "exec":
        return found
    for key, option in LISTS.items():
        found += [f"{option}={value}" for value in hookkit.texts(data.get(key), f"{what}: {key}")]
    detach = ["--detach=true"] if data.get("detach", True) else []
    return [*detach, *found]
