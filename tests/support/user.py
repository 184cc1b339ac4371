# SPDX-License-Identifier: Apache-2.0
"""A user of the lab's, as Heat makes one for each deployment."""

from __future__ import annotations

import uuid
from typing import Any

from keystoneauth1 import loading, session
from keystoneauth1.identity import v3

from heat_config.cloud.signed import CONFIG_ID
from lab import Lab


class StackUser:
    """A user as the inputs of a deployment name it."""

    def __init__(self, lab: Lab, values: dict[str, Any]) -> None:
        auth = v3.Password(
            auth_url=values["deploy_auth_url"],
            user_id=values["deploy_user_id"],
            password=values["deploy_password"],
            project_id=values["deploy_project_id"],
        )
        self.values = values
        self._session = session.Session(auth=auth)
        self._zaqar = lab.endpoints["messaging"]

    def headers(self) -> dict[str, str]:
        """Those of a request to Zaqar, each time by another client."""
        return {"X-Auth-Token": str(self._session.get_token()), "Client-ID": str(uuid.uuid4())}

    def messages(self, queue: str) -> list[Any]:
        """The bodies of what waits on a queue."""
        response = self._session.get(
            f"{self._zaqar}/v2/queues/{queue}/messages",
            params={"echo": "true"},
            headers={"Client-ID": str(uuid.uuid4())},
        )
        bodies = [message["body"] for message in response.json()["messages"]]
        for body in bodies:
            del body[CONFIG_ID]
        return bodies


class DemoUser(StackUser):
    """The lab's user as a stack user: what Heat would put into the inputs."""

    def __init__(self, lab: Lab) -> None:
        environment = lab.environment()
        names = ("username", "password", "project_name", "user_domain_name", "project_domain_name")
        options = {name: environment[f"OS_{name.upper()}"] for name in names}
        loader: Any = loading.get_plugin_loader("password")
        auth = loader.load_from_options(auth_url=environment["OS_AUTH_URL"], **options)
        found = session.Session(auth=auth)
        values = {
            "deploy_auth_url": environment["OS_AUTH_URL"] + "/",
            "deploy_user_id": found.get_user_id(),
            "deploy_password": environment["OS_PASSWORD"],
            "deploy_project_id": found.get_project_id(),
            "deploy_region_name": environment["OS_REGION_NAME"],
            "deploy_signal_transport": "ZAQAR_SIGNAL",
        }
        super().__init__(lab, values)
