# SPDX-License-Identifier: Apache-2.0
"""What stands where a cloud would: types of resources, and values that nobody looks at."""

from __future__ import annotations

import json
from typing import Any

from heatclient.common import template_utils

SERVER = "server.yaml"
# What a template may say of a server, and how a provider template's parameter of it is declared.
GIVEN = {
    "image": {"type": "string", "default": ""},
    "flavor": {"type": "string", "default": ""},
    "key_name": {"type": "string", "default": ""},
    "networks": {"type": "comma_delimited_list", "default": []},
    "security_groups": {"type": "comma_delimited_list", "default": []},
    "user_data": {"type": "string", "default": ""},
    "user_data_format": {"type": "string", "default": "HEAT_CFNTOOLS"},
    "software_config_transport": {"type": "string", "default": "ZAQAR_MESSAGE"},
}
# What Heat wants of it, too, but does not name.
HIDDEN = ("first_address",)
NOTHING = (
    "OS::Neutron::SecurityGroup",
    "OS::Neutron::FloatingIP",
    "OS::Neutron::FloatingIPAssociation",
    # What would install an agent at the boot: the image has one.
    "Heat::InstallConfigAgent",
)
ENVIRONMENT: dict[str, Any] = {
    "resource_registry": {
        "OS::Nova::Server": SERVER,
        **dict.fromkeys(NOTHING, "OS::Heat::None"),
    }
}


def server(attributes: list[str]) -> str:
    """The provider template of a server.

    ``attributes``: those of Nova's, all of which Heat wants of what stands in its place.
    """
    transport = {"get_param": "software_config_transport"}
    properties = {"software_config_transport": transport}
    outputs: dict[str, Any] = {name: {"value": ""} for name in (*attributes, *HIDDEN)}
    outputs["OS::stack_id"] = {"value": {"get_resource": "server"}}
    for name in ("user_data", "user_data_format"):
        outputs[name] = {"value": {"get_param": name}}
    outputs["os_collect_config"] = {"value": {"get_attr": ["server", "os_collect_config"]}}
    made = {
        "heat_template_version": "2021-04-16",
        "parameters": GIVEN,
        "resources": {"server": {"type": "OS::Heat::DeployedServer", "properties": properties}},
        "outputs": outputs,
    }
    return json.dumps(made)


def read(path: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A template without what only a cloud could check, and the files that it names."""
    files, template = template_utils.get_template_contents(template_file=path)
    for parameter in template.get("parameters", {}).values():
        parameter.pop("constraints", None)
    texts = {name: content.decode() for name, content in files.items()}
    return template, texts


def parameters(template: dict[str, Any]) -> dict[str, Any]:
    """A value for each parameter that has none: of an environment's file, or a name."""
    wanted = [
        name for name, each in template.get("parameters", {}).items() if "default" not in each
    ]
    return {name: "A=b" if name.startswith("env_file") else "any" for name in wanted}
