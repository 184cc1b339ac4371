# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat_config import deployment
from tests.support.deployments import script, to


def test_an_empty_file_has_no_deployments() -> None:
    assert deployment.parse("\n") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not valid"), ('{"a": 1}', "holds a map"), ('"x"', "a string"), ("[" * 9999, "JSON")],
)
def test_a_file_that_is_no_list_is_refused(text: str, said: str) -> None:
    with pytest.raises(deployment.MetadataError, match=said):
        deployment.parse(text)


def test_what_heat_may_leave_out_is_filled_in() -> None:
    read = deployment.read({"id": "c1"})
    assert read.error is None
    assert (read.group, read.name) == ("Heat::Ungrouped", "c1")
    assert read.item["inputs"] == read.item["outputs"] == []
    assert read.item["config"] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "no id"),
        ({"id": 7}, "a number, not a string"),
        ({"id": "../x"}, "'../x' is not usable"),
        ({"id": "a/b"}, "not usable"),
        ({"id": "x.notify"}, "not usable"),
        ({"id": ".hidden"}, "not usable"),
        ({"id": "x" * 201}, "not usable"),
        ({"inputs": "x"}, "'inputs' is a string, not a list"),
        ({"inputs": [{"value": 1}]}, "'inputs' number 1"),
        ({"inputs": [{"name": "a"}, 5]}, "'inputs' number 2"),
        ({"outputs": {"a": 1}}, "'outputs' is a map"),
        ({"options": [1]}, "'options' is a list"),
        ({"group": 5}, "'group' is a number"),
        ({"group": "component", "config": "text"}, "no list 'configs'"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], said: str) -> None:
    read = deployment.read({**script("x"), **change})
    assert read.error is not None
    assert said in read.error
    assert "/" not in read.id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 988 + "]" * 988, "nested in more than 100 levels"),
        ('{"a":' * 992 + "1" + "}" * 992, "nested in more than 100 levels"),
        ("1" * 5000, "a number of more than 300 digits"),
    ],
)
@pytest.mark.parametrize("key", ["config", "inputs", "options", "outputs"])
def test_what_nobody_could_read_is_answered_and_the_others_are_run(
    text: str, said: str, key: str
) -> None:
    bad = json.dumps({**script("x"), "id": "bad", key: "HERE"}).replace('"HERE"', text)
    found = deployment.parse(f"[{bad}, {json.dumps(script('x'))}]")
    assert [each.id for each in found] == ["bad", script("x")["id"]]
    assert found[0].error == f"the deployment's {key!r} cannot be read: it is {said}"
    assert found[1].error is None


def test_an_item_without_a_usable_id_is_recognised_again() -> None:
    item = {**script("x"), "id": "../x"}
    first, again = deployment.read(item), deployment.read(json.loads(json.dumps(item)))
    assert first.id == again.id
    assert first.id != deployment.read({**item, "config": "y"}).id


def test_the_answers_address_is_read_from_a_broken_item() -> None:
    inputs = [{"name": "deploy_signal_id", "value": "http://h/x"}, 5]
    assert deployment.read({"inputs": inputs}).values == {"deploy_signal_id": "http://h/x"}


@pytest.mark.parametrize(
    ("kind", "value", "coerced"),
    [
        ("String", 3, "3"),
        ("String", True, "True"),
        ("String", None, ""),
        ("String", {"a": [1]}, '{"a": [1]}'),
        ("String", "ä", "ä"),
        ("Number", 3, 3),
        ("Json", {"a": 1}, {"a": 1}),
    ],
)
def test_inputs_of_type_string_become_strings(kind: str, value: object, coerced: object) -> None:
    read = deployment.read({"id": "c1", "inputs": [{"name": "i", "type": kind, "value": value}]})
    assert read.values == {"i": coerced}
    assert read.item["inputs"][0]["value"] == coerced


def component(action: str) -> dict[str, Any]:
    configs = [
        {"actions": ["CREATE", "UPDATE"], "tool": "script", "config": "up"},
        {"actions": ["DELETE"], "tool": "ansible", "config": "down"},
    ]
    inputs = [{"name": "deploy_action", "type": "String", "value": action}]
    return {**script(""), "group": "component", "config": {"configs": configs}, "inputs": inputs}


@pytest.mark.parametrize(
    ("action", "tool", "config"),
    [
        ("CREATE", "script", "up"),
        ("UPDATE", "script", "up"),
        ("DELETE", "ansible", "down"),
    ],
)
def test_of_a_component_the_config_for_the_action_is_run(
    action: str, tool: str, config: str
) -> None:
    read = deployment.read(component(action))
    assert (read.group, read.item["group"], read.item["config"]) == (tool, tool, config)


@pytest.mark.parametrize("actions", ["CREATE", {"CREATE": 1}, 7, None])
@pytest.mark.parametrize("action", ["CREATE", None])
def test_actions_that_are_no_list_are_answered(actions: object, action: str | None) -> None:
    item = component("CREATE")
    item["config"]["configs"] = [{"actions": actions, "tool": "script", "config": "up"}]
    item["inputs"] = [{"name": "deploy_action", "value": action}]
    assert deployment.read(item).error == f"the component has no config for the action {action}"


def test_a_component_without_the_action_is_answered() -> None:
    read = deployment.read(component("SUSPEND"))
    assert read.error == "the component has no config for the action SUSPEND"


def signed(url: str, text: str = "x") -> dict[str, Any]:
    return script(text, inputs=to(url))


def test_an_id_is_run_once_and_the_second_address_is_answered_with_a_failure() -> None:
    first, second = deployment.parse(json.dumps([signed("http://h/1"), signed("http://h/2", "y")]))
    assert (first.id, first.error, first.item["config"]) == ("c1", None, "x")
    assert second.error == "the id 'c1' is used by two deployments"
    assert second.values["deploy_signal_id"] == "http://h/2"
    assert second.id != "c1"
    assert second.item["id"] == second.id


def test_the_second_of_an_id_is_recognised_again() -> None:
    items = [signed("http://h/1"), signed("http://h/2")]
    assert deployment.parse(json.dumps(items)) == deployment.parse(json.dumps([*items, items[1]]))


@pytest.mark.parametrize("again", [signed("http://h/1"), signed("http://h/1", "another text")])
def test_what_is_answered_at_the_same_place_is_answered_once(again: dict[str, Any]) -> None:
    read = deployment.parse(json.dumps([signed("http://h/1"), script("z", config_id="c2"), again]))
    assert [(each.id, each.error) for each in read] == [("c1", None), ("c2", None)]


def test_of_two_without_an_address_the_second_is_named() -> None:
    first, second = deployment.parse(json.dumps([script("x"), script("y")]))
    assert (first.error, second.error) == (None, "the id 'c1' is used by two deployments")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
keys = st.sampled_from(["id", "name", "group", "config", "inputs", "outputs", "options"])


@given(st.lists(st.dictionaries(keys, json_values) | json_values))
def test_no_metadata_breaks_the_reading_or_leads_out_of_the_folder(items: list[Any]) -> None:
    found = deployment.parse(json.dumps(items))
    assert len({read.id for read in found}) == len(found)
    for read in found:
        assert deployment.valid_id(read.id) == read.id
        assert isinstance(read.name, str)
        assert isinstance(read.group, str)
        json.dumps(read.item)
