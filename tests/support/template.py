# SPDX-License-Identifier: Apache-2.0
"""Templates for the tests, as Python data."""

from __future__ import annotations

from typing import Any


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
        keys = ("config", "inputs", "outputs", "options")
        config = {key: wanted[key] for key in keys if key in wanted}
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
