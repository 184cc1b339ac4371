# SPDX-License-Identifier: Apache-2.0
"""What Heat posts: the whole metadata of a server, a JSON object, or that one compressed.

It comes from outside, so it is looked at before anything is made of it.
"""

from __future__ import annotations

import json
from typing import Any

from heat_config import applied, readable
from heat_config.cloud import packed
from heat_config.cloud.packed import LARGEST


class UnusableError(Exception):
    """A message holds no metadata of a server; the text says why."""


def read(body: object) -> dict[str, Any]:
    """The metadata that a message holds.

    :raises UnusableError: it holds none.
    """
    try:
        content = packed.unpacked(body)
    except packed.PackedError as error:
        raise UnusableError(str(error)) from None
    return usable(content)


def loads(text: str) -> Any:
    """The JSON of a file or an answer, without what nobody on this server could read.

    :raises ValueError: it is none.
    """
    return readable.loads(text)


def usable(content: object) -> dict[str, Any]:
    """A server's metadata, fit to be written to a file.

    :raises UnusableError: it is none.
    """
    reason = problem(content)
    if reason or not isinstance(content, dict):
        raise UnusableError(reason)
    found: dict[str, Any] = readable.encodable(content)
    return found


def problem(content: object) -> str | None:
    """Why this cannot be a server's metadata; None when it can."""
    if not isinstance(content, dict) or not content:
        return "it is no JSON object with something in it"
    if not {"deployments", "os-collect-config"} & content.keys():
        return "it has neither deployments nor a section os-collect-config"
    deployments = content.get("deployments", [])
    # One of them that is no map is the agent's to refuse: the others are run.
    if not isinstance(deployments, list):
        return "its deployments are no list"
    if not isinstance(content.get("os-collect-config", {}), dict):
        return "its section os-collect-config is no JSON object"
    size = len(json.dumps(content))
    return f"it has {size} bytes, and {LARGEST} are allowed" if size > LARGEST else None


def sources(name: str, content: Any, keys: list[str]) -> list[tuple[str, Any]]:
    """The metadata and, after it, each config in it that is metadata itself."""
    lists = [content.get(key) for key in keys] if isinstance(content, dict) else []
    items = [item for listed in lists if isinstance(listed, list) for item in listed]
    return [(name, content), *applied.sources(items)]


def server_id(content: dict[str, Any]) -> str | None:
    """The server's id in Heat, which each of its deployments carries."""
    for item in content.get("deployments", []):
        inputs = item.get("inputs") if isinstance(item, dict) else None
        for given in inputs if isinstance(inputs, list) else []:
            if isinstance(given, dict) and given.get("name") == "deploy_server_id":
                return str(given.get("value"))
    return None


def queue_id(content: dict[str, Any] | None) -> str | None:
    """The queue on which, by the metadata itself, the server finds its metadata."""
    section = (content or {}).get("os-collect-config")
    zaqar = section.get("zaqar") if isinstance(section, dict) else None
    return zaqar.get("queue_id") if isinstance(zaqar, dict) else None
