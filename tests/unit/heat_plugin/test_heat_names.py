# SPDX-License-Identifier: Apache-2.0
"""The plug-in uses nothing of Heat outside heat_names.py, and all that is listed there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import heat_plugin
from heat_plugin import heat_names

SOURCES = [ast.parse(path.read_text()) for path in Path(heat_plugin.__file__).parent.rglob("*.py")]


def resources(*bases: str) -> list[ast.ClassDef]:
    """Our classes that stand on Heat's."""
    return [
        each
        for source in SOURCES
        for each in ast.walk(source)
        if isinstance(each, ast.ClassDef)
        and any(
            isinstance(base, ast.Attribute) or getattr(base, "id", "") in bases
            for base in each.bases
        )
    ]


DEPLOYMENTS = resources(
    *("Chosen", "Addressed", "SoftwareDeployment", "StructuredDeployment"),
    *("DeployedServer", "Server"),
)
SERVERS = [each for each in DEPLOYMENTS if "Server" in each.name or each.name == "SignedMetadata"]
DEPLOYMENTS = [each for each in DEPLOYMENTS if each not in SERVERS]


def chain(node: ast.expr) -> tuple[ast.expr, str]:
    """Where a row of attributes begins, and the row."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return node, ".".join(names)


def imported() -> Iterator[str]:
    for source in SOURCES:
        known = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(source)
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "heat"
            for alias in node.names
        }
        for node in ast.walk(source):
            if isinstance(node, ast.Attribute):
                begin, path = chain(node)
                if isinstance(begin, ast.Name) and begin.id in known:
                    yield f"{known[begin.id]}:{path}"


def defined(classes: list[ast.ClassDef]) -> set[str]:
    """All names that our classes give themselves."""
    found: set[str] = set()
    for node in (node for each in classes for node in each.body):
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            if isinstance(target, ast.Name):
                found.add(target.id)
    return found


def used(classes: list[ast.ClassDef]) -> set[str]:
    """All that our classes ask of themselves and have not defined."""
    found = set()
    for node in (node for each in classes for node in ast.walk(each)):
        begin, path = chain(node) if isinstance(node, ast.Attribute) else (None, "")
        if isinstance(begin, ast.Name) and begin.id == "self":
            found.add(path)
    own = defined(classes)
    return {name for name in found if name.split(".")[0] not in own}


def inherited(classes: list[ast.ClassDef]) -> set[str]:
    """The methods of Heat's that ours call on."""
    return {
        node.attr
        for each in classes
        for node in ast.walk(each)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "super"
    }


def test_imports() -> None:
    assert set(imported()) == heat_names.IMPORTED


def test_what_deployments_use() -> None:
    names = heat_names.OF_DEPLOYMENTS | heat_names.OF_INSTANCES
    assert used(DEPLOYMENTS) == names
    assert defined(DEPLOYMENTS) == (
        heat_names.OVERRIDDEN_IN_DEPLOYMENTS | heat_names.OWN_IN_DEPLOYMENTS
    )
    assert inherited(DEPLOYMENTS) <= heat_names.OVERRIDDEN_IN_DEPLOYMENTS


def test_what_servers_use() -> None:
    assert used(SERVERS) - heat_names.OF_INSTANCES == heat_names.OF_SERVERS
    assert defined(SERVERS) == (
        heat_names.OVERRIDDEN_IN_SERVERS | heat_names.CALLED_BY_HEAT | heat_names.OWN_IN_SERVERS
    )
    assert inherited(SERVERS) <= heat_names.OVERRIDDEN_IN_SERVERS


def test_options() -> None:
    found = set()
    for node in (node for source in SOURCES for node in ast.walk(source)):
        begin, path = chain(node) if isinstance(node, ast.Attribute) else (None, "")
        if (
            isinstance(begin, ast.Name)
            and path
            and (begin.id, path.split(".")[0]) == ("cfg", "CONF")
        ):
            found.add(path.partition(".")[2])
        elif isinstance(begin, ast.Name) and begin.id == "conf":
            found.add(path)
    named = {name for name in found if name and not name.startswith("heat_config")}
    ours = {"register_opts", "register_cli_opts", "import_opt"}
    assert named - ours == heat_names.OPTIONS
