# SPDX-License-Identifier: Apache-2.0
"""Heat stacks for the tests: written as Python data, waited for, looked at."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from heatclient import client, exc
from keystoneauth1 import loading, session

# Seconds after which a stack that is still IN_PROGRESS fails the test: many
# times what it takes.
PATIENCE = 40.0


def template(
    *, server_transport: str, signal_transport: str, deployments: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """A stack of one server and its deployments.

    A deployment is {"config": …, "inputs": …, "outputs": …, "values": …}; each
    of its outputs and its three standard attributes is an output of the stack.
    """
    resources: dict[str, Any] = {
        "server": {
            "type": "OS::Heat::DeployedServer",
            "properties": {"software_config_transport": server_transport},
        }
    }
    outputs = {"server": {"value": {"get_attr": ["server", "os_collect_config"]}}}
    for name, wanted in deployments.items():
        config = {key: wanted[key] for key in ("config", "inputs", "outputs") if key in wanted}
        resources[f"{name}_config"] = {
            "type": "OS::Heat::SoftwareConfig",
            "properties": {"group": wanted.get("group", "script"), **config},
        }
        resources[f"{name}_deployment"] = {
            "type": "OS::Heat::SoftwareDeployment",
            "properties": {
                "name": name,
                "config": {"get_resource": f"{name}_config"},
                "server": {"get_resource": "server"},
                "input_values": wanted.get("values", {}),
                "signal_transport": signal_transport,
            },
        }
        attributes = ["deploy_stdout", "deploy_stderr", "deploy_status_code"]
        attributes += [output["name"] for output in wanted.get("outputs", [])]
        for attribute in attributes:
            value = {"get_attr": [f"{name}_deployment", attribute]}
            outputs[f"{name}.{attribute}"] = {"value": value}
    return {"heat_template_version": "2021-04-16", "resources": resources, "outputs": outputs}


class Heat:
    """The orchestration API, as the user that owns the stacks."""

    def __init__(self, environment: dict[str, str]) -> None:
        names = ("username", "password", "project_name")
        names += ("user_domain_name", "project_domain_name")
        options = {name: environment[f"OS_{name.upper()}"] for name in names}
        loader = loading.get_plugin_loader("password")
        auth = loader.load_from_options(auth_url=environment["OS_AUTH_URL"], **options)
        self.api = client.Client("1", session=session.Session(auth=auth))

    def create(self, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> Stack:
        name = f"test-{uuid.uuid4().hex[:8]}"
        made = self.api.stacks.create(
            stack_name=name, template=template, parameters=parameters or {}, timeout_mins=5
        )
        return Stack(self.api, made["stack"]["id"])


class Stack:
    """One stack."""

    def __init__(self, api: Any, stack_id: str) -> None:
        self._api = api
        self.id = stack_id

    @property
    def state(self) -> str:
        """Such as CREATE_COMPLETE."""
        return str(self._api.stacks.get(self.id, resolve_outputs=False).stack_status)

    @property
    def reason(self) -> str:
        return str(self._api.stacks.get(self.id, resolve_outputs=False).stack_status_reason)

    def output(self, name: str) -> Any:
        return self._api.stacks.output_show(self.id, name)["output"]["output_value"]

    def update(self, template: dict[str, Any], **parameters: Any) -> None:
        self._api.stacks.update(self.id, template=template, parameters=parameters)

    def wait_for_server(self) -> dict[str, Any]:
        """What the server must be given to find its metadata."""
        return dict(
            wait_for("the server's configuration", lambda: self._server() or None),
        )

    def _server(self) -> Any:
        try:
            return self.output("server")
        except exc.HTTPException:
            return None

    def wait(self, action: str, meanwhile: Callable[[], Any] = lambda: None) -> str:
        """Wait until an action has ended; return how: COMPLETE or FAILED."""

        def ended() -> str | None:
            meanwhile()
            current, _, status = self.state.partition("_")
            return status if current == action and status != "IN_PROGRESS" else None

        return str(wait_for(f"{action} of {self.id}", ended))

    def delete(self) -> None:
        """Delete it and wait until it is gone."""
        self._api.stacks.delete(self.id)

        def gone() -> bool:
            try:
                return self.state == "DELETE_COMPLETE"
            except exc.HTTPNotFound:
                return True

        wait_for(f"the deletion of {self.id}", gone)


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    """Ask until there is an answer; it fails only where the thing never comes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come within {PATIENCE:.0f} s")
