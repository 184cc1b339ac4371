# SPDX-License-Identifier: Apache-2.0
"""What Heat posts: the whole metadata of a server, a JSON object, or that one compressed.

It comes from outside, so it is looked at before anything is made of it.
"""

from __future__ import annotations

import json
from typing import Any

from heat_config import log, readable
from heat_config.cloud import packed
from heat_config.cloud.packed import LARGEST

# Configs of these groups are metadata themselves: each is a source of its own.
PLAIN_GROUPS = ("os-apply-config", "Heat::Ungrouped")


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
    deployments = content.get("deployments", [])
    if not isinstance(deployments, list) or not all(isinstance(one, dict) for one in deployments):
        return "its deployments are no list of JSON objects"
    if not isinstance(content.get("os-collect-config", {}), dict):
        return "its section os-collect-config is no JSON object"
    size = len(json.dumps(content))
    return f"it has {size} bytes, and {LARGEST} are allowed" if size > LARGEST else None


def sources(name: str, content: dict[str, Any], keys: list[str]) -> list[tuple[str, Any]]:
    """The metadata and, after it, each config in it that is metadata itself.

    Their names become names of files beside those of the collectors.
    """
    found = [(name, content)]
    for key in keys:
        listed = content.get(key)
        for item in listed if isinstance(listed, list) else []:
            if isinstance(item, dict) and item.get("group", PLAIN_GROUPS[1]) in PLAIN_GROUPS:
                found += _own_source(item, {each for each, _ in found})
    return found


def server_id(content: dict[str, Any]) -> str | None:
    """The server's id in Heat, which each of its deployments carries."""
    for item in content.get("deployments", []):
        inputs = item.get("inputs")
        for given in inputs if isinstance(inputs, list) else []:
            if isinstance(given, dict) and given.get("name") == "deploy_server_id":
                return str(given.get("value"))
    return None


def queue_id(content: dict[str, Any] | None) -> str | None:
    """The queue on which, by the metadata itself, the server finds its metadata."""
    section = (content or {}).get("os-collect-config")
    zaqar = section.get("zaqar") if isinstance(section, dict) else None
    return zaqar.get("queue_id") if isinstance(zaqar, dict) else None


def _own_source(item: dict[str, Any], taken: set[str]) -> list[tuple[str, Any]]:
    name, config = item.get("name"), item.get("config")
    if not isinstance(name, str) or config is None:
        return []
    # os-collect-config's own collectors, and its list of files, are sources too.
    reserved = {"cfn", "ec2", "heat", "heat_local", "request", "os_config_files", *taken}
    if not name or "/" in name or "\0" in name or name.startswith(".") or name in reserved:
        log.warning(f"left out the config {name[:64]!r}: its name cannot be a file's")
        return []
    return [(name, config)]
