# SPDX-License-Identifier: Apache-2.0
"""What of a stack Heat alone does not understand, and what takes its place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from heat_plugin import turning
from heat_plugin.turning import Files, To

VERSION = "2021-04-16"


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {
        "heat_template_version": VERSION,
        "resources": {"one": {"type": kind, "properties": properties}},
    }


def files(template: dict[str, Any], **parameters: Any) -> Files:
    return Files(template, {}, parameters)


@pytest.mark.parametrize(
    ("kind", "name", "asked", "becomes"),
    [
        ("OS::Heat::SoftwareDeployment", "signal_transport", "AUTO", "ZAQAR_SIGNAL"),
        ("OS::Heat::SoftwareDeploymentGroup", "signal_transport", "ZAQAR_MESSAGE", "ZAQAR_SIGNAL"),
        ("OS::Heat::StructuredDeployment", "signal_transport", "AUTO", "ZAQAR_SIGNAL"),
        ("OS::Heat::DeployedServer", "software_config_transport", "ZAQAR_SIGNED", "ZAQAR_MESSAGE"),
        ("OS::Nova::Server", "software_config_transport", "AUTO", "ZAQAR_MESSAGE"),
    ],
)
def test_each_of_the_plugins_transports_becomes_heats(
    kind: str, name: str, asked: str, becomes: str
) -> None:
    stack = files(of(kind, **{name: asked}))
    assert [each.written() for each in turning.uses(stack)] == [f"resources.one: {name}: {asked}"]
    turned = turning.turned(stack, To())
    assert turned.template == of(kind, **{name: becomes})
    assert turning.uses(turned) == []


@pytest.mark.parametrize("asked", [True, False, {"get_param": "watch"}])
def test_progress_is_left_out(asked: object) -> None:
    kind = "OS::Heat::SoftwareDeploymentGroup"
    stack = files(of(kind, signal_transport="CFN_SIGNAL", progress=asked))
    assert [each.written() for each in turning.uses(stack)] == ["resources.one: property progress"]
    turned = turning.turned(stack, To())
    assert turned.template == of(kind, signal_transport="CFN_SIGNAL")
    server = files(of("OS::Heat::DeployedServer", progress=asked))
    assert turning.uses(server) == []


@pytest.mark.parametrize("asked", ["CFN_SIGNAL", "ZAQAR_SIGNAL", "NO_SIGNAL"])
def test_heats_own_stay_as_they_are(asked: str) -> None:
    stack = files(of("OS::Heat::SoftwareDeployment", signal_transport=asked))
    assert turning.uses(stack) == []
    assert turning.turned(stack, To()) == stack


def test_a_parameter_says_what_is_asked() -> None:
    template = of("OS::Heat::SoftwareDeployment", signal_transport={"get_param": "how"})
    assert turning.uses(files(template, how="CFN_SIGNAL")) == []
    (use,) = turning.uses(files(template, how="AUTO"))
    assert use.what == "signal_transport: AUTO"
    made = turning.turned(files(template, how="AUTO"), To("CFN_SIGNAL")).template
    assert made["resources"]["one"]["properties"]["signal_transport"] == "CFN_SIGNAL"


def test_what_only_heat_can_resolve_is_turned_to_be_sure() -> None:
    given = {"if": ["a", "AUTO", "CFN_SIGNAL"]}
    stack = files(of("OS::Heat::SoftwareDeployment", signal_transport=given))
    assert turning.uses(stack)
    assert turning.uses(turning.turned(stack, To())) == []


def test_a_type_of_the_plugins_becomes_heats_and_is_mapped_meanwhile() -> None:
    stack = files(of("HeatConfig::Server", software_config_transport="POLL_SERVER_CFN"))
    made = turning.turned(stack, To()).template
    assert made == of("OS::Nova::Server", software_config_transport="POLL_SERVER_CFN")
    assert turning.environment(stack) == {
        "resource_registry": {"OS::Nova::Server": "HeatConfig::Server"}
    }
    assert turning.environment(files(made)) == {}


def test_a_definition_within_a_group_is_turned_too() -> None:
    inner = {"type": "OS::Heat::DeployedServer", "properties": {}}
    inner["properties"] = {"software_config_transport": "AUTO"}
    stack = files(of("OS::Heat::ResourceGroup", resource_def=inner))
    (use,) = turning.uses(stack)
    assert use.where == "resources.one.properties.resource_def"
    assert turning.uses(turning.turned(stack, To())) == []


def test_nested_templates_are_turned_and_other_files_left() -> None:
    nested = yaml.safe_dump(of("OS::Heat::SoftwareDeployment", signal_transport="AUTO"))
    nested = nested.replace(f"'{VERSION}'", VERSION)  # which YAML takes for a date
    script = "# heat_template_version: [\n"
    stack = Files(of("n.yaml"), {"n.yaml": nested, "run.sh": script}, {})
    turned = turning.turned(stack, To())
    assert turned.files["run.sh"] == script
    want = of("OS::Heat::SoftwareDeployment", signal_transport="ZAQAR_SIGNAL")
    assert yaml.safe_load(turned.files["n.yaml"]) == want


def reading(where: str) -> dict[str, Any]:
    template = of("OS::Heat::SoftwareDeployment", signal_transport="CFN_SIGNAL")
    wants = {"value": {"get_attr": ["one", "signal_transport"]}}
    template.setdefault(where, {})["other"] = wants
    template.setdefault("outputs", {})["kept"] = {"value": {"get_attr": ["one", "deploy_stdout"]}}
    return template


def test_an_output_that_heat_alone_does_not_have_is_left_out() -> None:
    stack = files(reading("outputs"))
    assert turning.uses(stack) and not turning.obstacles(stack)
    assert list(turning.turned(stack, To()).template["outputs"]) == ["kept"]


def test_a_resource_that_needs_such_an_attribute_is_an_obstacle() -> None:
    (obstacle,) = turning.obstacles(files(reading("resources")))
    assert "signal_transport of one" in obstacle
