# SPDX-License-Identifier: Apache-2.0
"""A stack's templates with Heat's own transports in place of the plug-in's. No I/O.

The stack keeps the plug-in's types while it is turned: it is they who turn a server or a deployment
in place. Where a template names such a type, Heat's name takes its place and the stack's own
environment maps that to the same type, so that nothing is replaced. Once the plug-in is gone Heat
passes over a mapping to a type that it does not have, and takes its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from heat_plugin import watched
from heat_plugin.transport import AUTO, ZAQAR_MESSAGE, ZAQAR_SIGNAL, ZAQAR_SIGNED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SIGNAL = "signal_transport"
SERVER = "software_config_transport"

OURS = {SIGNAL: (AUTO, ZAQAR_MESSAGE), SERVER: (AUTO, ZAQAR_SIGNED)}
"""The values that Heat alone does not know, by property."""

_HEATS = {
    "SoftwareDeployment": ("OS::Heat::SoftwareDeployment", SIGNAL),
    "StructuredDeployment": ("OS::Heat::StructuredDeployment", SIGNAL),
    "SoftwareDeploymentGroup": ("OS::Heat::SoftwareDeploymentGroup", SIGNAL),
    "StructuredDeploymentGroup": ("OS::Heat::StructuredDeploymentGroup", SIGNAL),
    "DeployedServer": ("OS::Heat::DeployedServer", SERVER),
    "Server": ("OS::Nova::Server", SERVER),
    "SoftwareDeploymentWithUser": ("OS::Heat::SoftwareDeployment", SIGNAL),
    "StructuredDeploymentWithUser": ("OS::Heat::StructuredDeployment", SIGNAL),
    "DeployedServerWithUser": ("OS::Heat::DeployedServer", SERVER),
    "ServerWithUser": ("OS::Nova::Server", SERVER),
}
_PREFIX = "HeatConfig::"
HEATS_NAME = {_PREFIX + ours: heats for ours, (heats, _) in _HEATS.items()}
"""Of each of the plug-in's types."""
PROPERTY = dict(_HEATS.values()) | {_PREFIX + ours: name for ours, (_, name) in _HEATS.items()}
"""Which property names the transport, by type."""


class To(NamedTuple):
    """What stands in place of the plug-in's transports."""

    signal: str = ZAQAR_SIGNAL
    server: str = ZAQAR_MESSAGE

    def value(self, name: str) -> str:
        """Of one of the two properties."""
        return self.signal if name == SIGNAL else self.server


class Use(NamedTuple):
    """One place in a stack that Heat alone does not understand."""

    where: str
    what: str

    def written(self) -> str:
        """As a line."""
        return f"{self.where}: {self.what}"


class Files(NamedTuple):
    """What a stack is made of."""

    template: dict[str, Any]
    files: dict[str, str]
    parameters: dict[str, Any]
    """All of the stack's, with their defaults; nested stacks get theirs from it."""

    def templates(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The stack's own template, and those of nested stacks."""
        yield "", self.template
        for name, text in self.files.items():
            found = _as_template(text)
            if found is not None:
                yield name, found


def uses(stack: Files) -> list[Use]:
    """What in a stack's templates Heat alone does not understand."""
    return [each for name, one in stack.templates() for each in _uses(name, one, stack.parameters)]


def turned(stack: Files, to: To) -> Files:
    """The same stack, with Heat's transports and Heat's names of types."""
    files = dict(stack.files)
    for name, one in stack.templates():
        if name and _uses(name, one, stack.parameters):
            files[name] = yaml.safe_dump(_turned(one, to), sort_keys=False)
    return Files(_turned(stack.template, to), files, stack.parameters)


def environment(stack: Files) -> dict[str, Any]:
    """What the stack's environment must have so that types change their names and nothing else."""
    named = {
        each["type"] for _, one in stack.templates() for _, each in _resources(one)
    } & HEATS_NAME.keys()
    return (
        {"resource_registry": {HEATS_NAME[each]: each for each in sorted(named)}} if named else {}
    )


def obstacles(stack: Files) -> list[str]:
    """Why a stack cannot be turned from outside; nothing when it can."""
    return [
        f"{name or 'its template'} reads the attribute {attribute} of {of} outside of its outputs"
        for name, one in stack.templates()
        for of, attribute in _attributes(one.get("resources"), _names(one))
    ]


def _uses(name: str, one: dict[str, Any], parameters: Mapping[str, Any]) -> Iterator[Use]:
    at = f"{name}: " if name else ""
    for where, resource in _resources(one):
        kind = resource["type"]
        prop = PROPERTY[kind]
        given = _given(resource).get(prop)
        asked = _resolved(given, one, parameters)
        if kind in HEATS_NAME:
            yield Use(at + where, f"type: {kind}")
        if asked in OURS[prop]:
            yield Use(at + where, f"{prop}: {asked}")
        elif isinstance(asked, dict):
            yield Use(at + where, f"{prop}: known to Heat only ({', '.join(map(str, asked))})")
        if prop == SIGNAL and watched.PROPERTY in _given(resource):
            yield Use(at + where, f"property {watched.PROPERTY}")
    for key, value in (one.get("outputs") or {}).items():
        for of, attribute in _attributes(value, _names(one)):
            yield Use(f"{at}outputs.{key}", f"attribute {attribute} of {of}")


def _resolved(given: object, one: dict[str, Any], parameters: Mapping[str, Any]) -> object:
    """A property's value, where a parameter is all that it takes."""
    if not isinstance(given, dict) or list(given) not in (["get_param"], ["Ref"]):
        return given
    (name,) = given.values()
    default = ((one.get("parameters") or {}).get(name) or {}).get("default", given)
    return parameters.get(name, default) if isinstance(name, str) else given


def _turned(one: dict[str, Any], to: To) -> dict[str, Any]:
    names = _names(one)
    made: dict[str, Any] = _with_heats(one, to)
    outputs = made.get("outputs")
    if outputs:
        kept = {key: each for key, each in outputs.items() if not list(_attributes(each, names))}
        made["outputs"] = kept
    return made


def _with_heats(node: Any, to: To) -> Any:
    """A copy in which each resource has one of Heat's own types and transports."""
    if isinstance(node, list):
        return [_with_heats(each, to) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _with_heats(each, to) for key, each in node.items()}
    if not _is_resource(node):
        return made
    prop = PROPERTY[node["type"]]
    made["type"] = HEATS_NAME.get(node["type"], node["type"])
    given = _given(node).get(prop)
    if isinstance(given, dict) or given is None or given in OURS[prop]:
        made["properties"] = {**(made.get("properties") or {}), prop: to.value(prop)}
    if prop == SIGNAL:
        _given(made).pop(watched.PROPERTY, None)
    return made


def _resources(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All resources of the types that the plug-in has, also within a group's definition."""
    if _is_resource(node):
        yield where, node
    below = node.items() if isinstance(node, dict) else ()
    for key, each in below:
        yield from _resources(each, f"{where}.{key}" if where else str(key))


def _names(one: dict[str, Any]) -> set[str]:
    """Of a template's resources that have the attributes of the plug-in."""
    return {name for name, each in (one.get("resources") or {}).items() if _is_resource(each)}


def _attributes(node: Any, names: set[str]) -> Iterator[tuple[str, str]]:
    """The attributes that only the plug-in gives to the resources of these names."""
    if isinstance(node, dict):
        path = node.get("get_attr")
        if isinstance(path, list) and len(path) > 1 and path[0] in names and path[1] in OURS:
            yield path[0], path[1]
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in below:
        yield from _attributes(each, names)


def _is_resource(node: Any) -> bool:
    kind = node.get("type") if isinstance(node, dict) else None
    return isinstance(kind, str) and kind in PROPERTY


def _given(resource: dict[str, Any]) -> dict[str, Any]:
    found = resource.get("properties")
    return found if isinstance(found, dict) else {}


def _as_template(text: str) -> dict[str, Any] | None:
    """A file of a stack, if it is a template in HOT."""
    if "heat_template_version" not in text:
        return None
    try:
        found = yaml.load(text, _Plain)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) and "heat_template_version" in found else None


class _Plain(yaml.SafeLoader):
    """As Heat reads templates: what looks like a date is a text."""


def _text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return loader.construct_scalar(node)


_Plain.add_constructor("tag:yaml.org,2002:timestamp", _text)
