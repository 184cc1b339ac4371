# SPDX-License-Identifier: Apache-2.0
"""Who asks: a stack user, as Heat names it to a server.

Heat makes such users in the stack's own domain project, one for each deployment and one
for the server, and names them by id.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from heat_config.cloud.inputs import require

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Credentials:
    """A user of one project, and where Keystone knows it. Whoever has them is that user."""

    # An address may hold a password, too.
    auth_url: str = field(repr=False)
    user_id: str = field(repr=False)
    password: str = field(repr=False)
    project_id: str
    region_name: str | None = None
    """The region whose endpoints are used; None for any."""

    @classmethod
    def from_inputs(cls, address: Mapping[str, Any]) -> Credentials:
        """A deployment's user, from the inputs that Heat adds to its config.

        Source: OS::Heat::SoftwareDeployment, _build_derived_inputs.

        :raises CloudError: inputs are missing; they are named.
        """
        auth_url, user_id, password, project_id = require(
            address, "deploy_auth_url", "deploy_user_id", "deploy_password", "deploy_project_id"
        )
        region = str(address.get("deploy_region_name") or "") or None
        return cls(auth_url, user_id, password, project_id, region)

    @classmethod
    def from_section(cls, section: Mapping[str, Any]) -> Credentials:
        """The server's own user, from the section [zaqar] of os-collect-config.conf, complete."""
        return cls(
            _v3(section["auth_url"]),
            section["user_id"],
            section["password"],
            section["project_id"],
            section["region_name"] or None,
        )


def _v3(auth_url: str) -> str:
    """Heat writes …/v3/; people write …/v2.0, or no version."""
    base, version = os.path.split(auth_url.rstrip("/"))
    if version == "v3":
        return auth_url
    return f"{base if version == 'v2.0' else auth_url.rstrip('/')}/v3"
