# SPDX-License-Identifier: Apache-2.0
"""The server's deployments from Heat itself, for when a message may have expired.

The server's stack user may read the deployments of a server whose id it knows.
It may not look the id up: not the stack, its resources, or the list of its
deployments. Each deployment carries the id; Nova's servers know it as theirs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from heat_config import redact
from heat_config.cloud import http
from heat_config.collect import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.cloud.keystone import User

# Where cloud-init writes Nova's id of this server.
INSTANCE_ID = Path("/var/lib/cloud/data/instance-id")


def ask(
    user: User, kept: Mapping[str, Any] | None, server_id: str | None, section: dict[str, Any]
) -> dict[str, Any] | None:
    """The metadata with Heat's present deployments, None where Heat cannot be asked for them.

    :raises CloudError: Heat does not answer, or refuses.
    """
    server = server_id or (metadata.server_id(dict(kept)) if kept else None) or _instance_id()
    if not server or not server.replace("-", "").isalnum():
        return None
    url = f"{user.endpoint('orchestration')}/software_deployments/metadata/{server}"
    response = user.request(url, "GET", headers={"Accept": "application/json"})
    if not http.is_success(response):
        raise http.from_status(response.status_code, redact.url(url), response.reason)
    try:
        deployments = http.json_of(response)["metadata"]
    except (KeyError, TypeError, ValueError):
        deployments = None
    if not isinstance(deployments, list):
        raise http.from_stranger(redact.url(url))
    if not deployments:
        # Heat says the same of a server that it does not know.
        return None
    return {"os-collect-config": section, **(kept or {}), "deployments": deployments}


def _instance_id() -> str | None:
    try:
        return INSTANCE_ID.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
