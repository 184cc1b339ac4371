# SPDX-License-Identifier: Apache-2.0
"""Keystone's users: the lab's own, as whom Heat asks, and one for each server."""

from __future__ import annotations

import secrets

from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_config.cloud.zaqar import AsUser, Connection
from lab import Lab
from lab.catalog import administrator
from tests.support.user import DemoUser


def connection(lab: Lab) -> Connection:
    """Zaqar, in the name of the lab's user, with a token of its own."""
    return AsUser(User(Credentials.from_inputs(DemoUser(lab).values), Trust()))


def made(lab: Lab, number: int) -> list[dict[str, str]]:
    """Stack users, as the servers are told of them."""
    keystone = administrator(lab)
    role = keystone.find("role", "heat_stack_user")
    values = DemoUser(lab).values
    common = {name: str(values[f"deploy_{name}"]) for name in ("auth_url", "project_id")}
    common["region_name"] = str(values["deploy_region_name"])
    users = []
    for each in range(number):
        password = secrets.token_hex(16)
        user = keystone.create(
            "user", name=f"server-{each}", password=password, domain_id="default"
        )
        keystone.call("PUT", f"/projects/{common['project_id']}/users/{user}/roles/{role}")
        users.append({**common, "user_id": user, "password": password})
    return users
