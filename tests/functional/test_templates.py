# SPDX-License-Identifier: Apache-2.0
"""What templates use, through Heat: what the operator sees of it in outputs, reasons and events."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from lab import Lab
from lab.stack import Heat, wait_for
from tests.support.hook_server import known_to_nova
from tests.support.stacks import Create
from tests.support.templating import Servers, deployments, events, gone, named, resource_ids

EXITED = "deploy_status_code: Deployment exited with non-zero status code: 1"
FAILED = f"Deployment to server failed: {EXITED}"


def test_groups_are_updated_server_by_server(
    create_stack: Create, heat: Heat, tmp_path: Path
) -> None:
    template, servers = named("groups"), Servers(tmp_path, "a", "b", "c")
    stack = create_stack(template, word="first")
    servers.boot(stack)
    assert servers.finish(stack, "CREATE") == "COMPLETE", stack.reason
    everywhere = dict.fromkeys("abc")
    assert stack.output("stdouts") == dict.fromkeys(everywhere, "CREATE: first\n")
    assert stack.output("stderrs") == {name: f"warning on {name}\n" for name in everywhere}
    assert stack.output("said") == dict.fromkeys(everywhere, "first")
    assert stack.output("given") == {name: {"words": ["before", "first"]} for name in everywhere}

    stack.update(template, word="not-b")
    assert servers.finish(stack, "UPDATE") == "FAILED"
    assert f"resources.saying.resources.b: {FAILED}" in stack.reason
    assert stack.output("status_codes") == {"a": 0, "b": 1, "c": 0}
    # Heat takes them in an order of its own; after the one that fails it takes none.
    said = stack.output("said")
    assert said["b"] == "not-b"
    assert "first" in said.values()

    before = len(events(heat, stack, "saying"))
    stack.update(template, word="third")
    assert servers.finish(stack, "UPDATE") == "COMPLETE", stack.reason
    assert stack.output("said") == dict.fromkeys(everywhere, "third")
    assert stack.output("given") == {name: {"words": ["before", "third"]} for name in everywhere}
    seen = events(heat, stack, "saying")[before:]
    assert sorted({name for name, _ in seen}) == list(everywhere)
    for begun, ended in pairwise(seen):
        assert begun[0] == ended[0] or begun[1].endswith("_COMPLETE")


def test_a_component_over_all_actions_of_a_stack_and_a_chain_over_two_servers(
    lab: Lab, heat: Heat, tmp_path: Path
) -> None:
    template, servers = named("lifecycle"), Servers(tmp_path, "database", "server")
    history = tmp_path / "history"
    stack = heat.create("test-lifecycle", template, word="first", history=str(history))
    servers.boot(stack)
    with known_to_nova(lab, heat, stack):
        assert servers.finish(stack, "CREATE") == "COMPLETE", stack.reason
        connected = 'connected: 5432, {"reader": "first"}, after nothing'
        assert stack.output("connected") == connected
        assert stack.output("checked") == f"checked: 0, none, after {connected}"
        assert stack.output("last") == "CREATE: first\n"

        stack.update(template, word="second", history=str(history))
        assert servers.finish(stack, "UPDATE") == "COMPLETE", stack.reason
        assert stack.output("connected") == connected.replace("first", "second")
        assert stack.output("checked").endswith('{"reader": "second"}, after nothing')
        assert stack.output("last") == "UPDATE: second\n"

        stack.suspend()
        assert servers.finish(stack, "SUSPEND") == "COMPLETE", stack.reason
        assert stack.output("last") == "SUSPEND, to clean up: second\n"
        stack.resume()
        assert servers.finish(stack, "RESUME") == "COMPLETE", stack.reason
        assert json.loads(stack.output("stdout")) == "of another tool"

        gone(heat, stack, servers.poll)
    assert history.read_text().splitlines() == [
        "CREATE: first",
        "UPDATE: second",
        "SUSPEND, to clean up: second",
        "DELETE, to clean up: second",
    ]


def test_inputs_as_templates_give_them(create_stack: Create, heat: Heat, tmp_path: Path) -> None:
    template, servers, order = named("inputs"), Servers(tmp_path, "server"), tmp_path / "order"
    stack = create_stack(template, order=str(order))
    wait_for("all that it asks for", lambda: len(deployments(heat, stack)) == 8)
    servers.boot(stack)
    assert servers.finish(stack, "CREATE") == "COMPLETE", stack.reason
    # By their names, 10-shown to 40-shown: not as they stand in the template, or were made.
    assert order.read_text().split() == ["list_value", "map_value", "null_value", "no_value"]
    assert stack.output("shown") == {
        "no_value": "[the default]",
        "null_value": "[]",
        "map_value": '[{"port": 1, "hosts": ["a", "\\u00fc"]}]',
        "list_value": '[[1, "two", null]]',
    }
    assert stack.output("substituted") == {
        "plain": {"of": [1, None]},
        "nested": [{"deeper": True}, None],
        "other": {"get_value": "a"},
    }
    assert stack.output("other_key") == {
        "plain": {"get_input": "a"},
        "nested": [{"deeper": {"get_input": "b"}}, {"get_input": "none"}],
        "other": {"of": [1, None]},
    }
    assert stack.output("strict") == {"plain": "given"}
    assert stack.output("formatted") == "CREATE: vda, 1"

    first = resource_ids(heat, stack)
    stack.update(template, order=str(order), size=2)
    assert servers.finish(stack, "UPDATE") == "COMPLETE", stack.reason
    assert stack.output("formatted") == "UPDATE: vda, 2"
    assert resource_ids(heat, stack) == first
    stack.update(template, order=str(order), size=2, disk="vdb")
    assert servers.finish(stack, "UPDATE") == "COMPLETE", stack.reason
    assert stack.output("formatted") == "CREATE: vdb, 2"
    changed = {name for name, found in resource_ids(heat, stack).items() if found != first[name]}
    assert changed == {"formatted"}

    stack.update(template, order=str(order), size=2, disk="vdb", wanted={"b": "other"})
    assert servers.finish(stack, "UPDATE") == "FAILED"
    assert "resources.strict: The Parameter (a) was not provided." in stack.reason
