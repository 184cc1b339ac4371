# SPDX-License-Identifier: Apache-2.0
"""Regions of one's own in the lab's catalog: a client that is told of one reaches what is there.

Tests put a wire or a relay in front of a service this way.
"""

from __future__ import annotations

from .control_plane import Lab
from .identity import Keystone


def administrator(lab: Lab) -> Keystone:
    """Who may change users and the catalog."""
    keystone = Keystone(lab.endpoints["identity"])
    password = lab.environment("admin")["OS_PASSWORD"]
    keystone.authenticate("admin", password, "admin")
    return keystone


def add_region(lab: Lab, region: str, endpoints: dict[str, str]) -> None:
    """Add a region: services by name, and their public URLs."""
    keystone = administrator(lab)
    keystone.create("region", id=region)
    for service, url in endpoints.items():
        service_id = keystone.find("service", service)
        keystone.create(
            "endpoint", service_id=service_id, interface="public", url=url, region_id=region
        )


def turn_aside(lab: Lab, service: str, interface: str, url: str) -> None:
    """Let an interface of a service be reached at another URL."""
    keystone = administrator(lab)
    service_id = keystone.find("service", service)
    query = f"interface={interface}&service_id={service_id}"
    endpoint = keystone.find_where("endpoint", query)
    keystone.call("PATCH", f"/endpoints/{endpoint}", {"endpoint": {"url": url}})
