# SPDX-License-Identifier: Apache-2.0
"""Which configs os-apply-config renders its templates with, and why one cannot be applied."""

from __future__ import annotations

from typing import Any

import pytest

from heat_config import applied, deployment
from tests.support.deployments import inputs


def data(name: str, config: object, config_id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"id": config_id, "name": name, "group": "os-apply-config", "config": config, **more}


@pytest.mark.parametrize("name", ["motd", "a/b", "heat", ".x", "a:b", "\ud800", "a\nb", "n" * 999])
def test_each_has_its_own_name_in_the_order_of_the_metadata(name: str) -> None:
    items = [data(name, {"k": 1}), data("next", {"k": 2}, "c2"), data(name, {"k": 3}, "c3")]
    assert applied.sources(items) == [(name, {"k": 1}), ("next", {"k": 2}), (name, {"k": 3})]


def test_a_component_is_applied_for_its_action() -> None:
    parts = [
        {"actions": ["CREATE"], "tool": "os-apply-config", "config": {"k": 1}},
        {"actions": ["DELETE"], "tool": "script", "config": "true"},
    ]
    item = data("c", {"configs": parts}, group="component")
    created = {**item, "inputs": inputs(deploy_action="CREATE")}
    deleted = {**item, "inputs": inputs(deploy_action="DELETE")}
    assert applied.sources([created, deleted]) == [("c", {"k": 1})]


def test_without_a_group_or_an_id_it_is_applied_too() -> None:
    assert applied.sources([{"name": "x", "config": {"k": 1}}]) == [("x", {"k": 1})]
    assert applied.sources([{"id": "c1", "config": {"k": 1}}]) == [("c1", {"k": 1})]


NO_SOURCES = (
    7,
    None,
    data("s", "x", group="script"),
    data("x", {"k": 1}, "../x"),
    data("x", {"k": 1}, inputs=7),
)


@pytest.mark.parametrize("item", NO_SOURCES)
def test_what_is_none_of_these_is_no_source(item: object) -> None:
    assert applied.sources([item]) == []


@pytest.mark.parametrize(
    ("config", "group", "said"),
    [
        ("#!/bin/sh", "Heat::Ungrouped", "is a string, not a map of data. It names no group"),
        ("{}", "os-apply-config", "Use OS::Heat::StructuredConfig"),
        ([1], "os-apply-config", "is a list"),
        ({"deployments": []}, "os-apply-config", "deployments are the server's own"),
        (
            {"os-collect-config": {"command": "x"}, "deployments": 1, "k": 1},
            "Heat::Ungrouped",
            "deployments and os-collect-config are the server's own",
        ),
    ],
)
def test_what_cannot_be_applied_is_no_source_and_says_why(
    config: object, group: str, said: str
) -> None:
    item = data("x", config, group=group)
    assert applied.sources([item]) == []
    reason = applied.problem(deployment.read(item))
    assert reason and said in reason


@pytest.mark.parametrize("config", [None, "", {}, [], {"k": {"deployments": 1}}])
def test_what_says_nothing_or_something_of_its_own_is_no_problem(config: object) -> None:
    assert applied.problem(deployment.read(data("x", config))) is None
