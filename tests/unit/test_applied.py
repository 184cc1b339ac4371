# SPDX-License-Identifier: Apache-2.0
"""Which configs os-apply-config renders its templates with, and why one cannot be applied."""

from __future__ import annotations

from typing import Any

import pytest

from heat_config import applied, deployment
from tests.support.deployments import inputs

RESERVED = ("heat", "zaqar", "os_config_files")


def data(name: str, config: object, config_id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"id": config_id, "name": name, "group": "os-apply-config", "config": config, **more}


def test_each_has_its_own_name_in_the_order_of_the_metadata() -> None:
    items = [data("motd", {"motd": 1}), data("web tier-1", {"web": 2}, "c2")]
    assert applied.sources(items, RESERVED) == [("motd", {"motd": 1}), ("web tier-1", {"web": 2})]


@pytest.mark.parametrize(
    "name",
    ["a/b", "heat", ".x", "a:b", "..", "x.json", "\u5b57" * 90, "n" * 246, "\ud800", "a\nb", "*"],
)
def test_a_name_that_cannot_be_a_files_is_applied_under_another(name: str) -> None:
    ((own, config),) = applied.sources([data(name, {"k": 1})], RESERVED)
    assert config == {"k": 1}
    assert own.startswith("config-") and own.isascii() and len(own) < 50
    assert applied.sources([data(name, {"k": 2})], RESERVED) == [(own, {"k": 2})]


def test_two_of_one_name_are_both_applied() -> None:
    items = [data("same", {"a": 1}, "c1"), data("same", {"b": 2}, "c2")]
    (first, second) = applied.sources(items, RESERVED)
    assert first == ("same", {"a": 1})
    assert second[1] == {"b": 2} and second[0] != "same"
    assert len(applied.sources([*items, *items], RESERVED)) == 3


def test_a_component_is_applied_for_its_action() -> None:
    parts = [
        {"actions": ["CREATE"], "tool": "os-apply-config", "config": {"k": 1}},
        {"actions": ["DELETE"], "tool": "script", "config": "true"},
    ]
    item = data("c", {"configs": parts}, group="component")
    created = {**item, "inputs": inputs(deploy_action="CREATE")}
    deleted = {**item, "inputs": inputs(deploy_action="DELETE")}
    assert applied.sources([created, deleted], RESERVED) == [("c", {"k": 1})]


def test_without_a_group_or_an_id_it_is_applied_too() -> None:
    assert applied.sources([{"name": "x", "config": {"k": 1}}], RESERVED) == [("x", {"k": 1})]
    assert applied.sources([{"id": "c1", "config": {"k": 1}}], RESERVED) == [("c1", {"k": 1})]


NO_SOURCES = (
    7,
    None,
    data("s", "x", group="script"),
    data("x", {"k": 1}, "../x"),
    data("x", {"k": 1}, inputs=7),
)


@pytest.mark.parametrize("item", NO_SOURCES)
def test_what_is_none_of_these_is_no_source(item: object) -> None:
    assert applied.sources([item], RESERVED) == []


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
    assert applied.sources([item], RESERVED) == []
    reason = applied.problem(deployment.read(item))
    assert reason and said in reason


@pytest.mark.parametrize("config", [None, "", {}, [], {"k": {"deployments": 1}}])
def test_what_says_nothing_or_something_of_its_own_is_no_problem(config: object) -> None:
    assert applied.problem(deployment.read(data("x", config))) is None
