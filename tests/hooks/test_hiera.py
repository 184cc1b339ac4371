# SPDX-License-Identifier: Apache-2.0
"""The group hiera with Puppet, which reads what it writes."""

from __future__ import annotations

import subprocess

from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "hiera"


def lookup(server: HookServer, key: str) -> str:
    config = f"--hiera_config={server.variables['HEAT_HIERA_CONFIG']}"
    argv = ["puppet", "apply", config, "--color=false", "-e", f"notice(lookup('{key}'))"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_create_update_and_delete(create_stack: Create, server: HookServer) -> None:
    template = example(GROUP)
    stack = create_stack(template, greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert "grüß\nGott" in lookup(server, "greeting")

    stack.update(template, greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert "again" in lookup(server, "greeting")

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert list((server.root / "etc/puppet/hieradata").iterdir()) == []


def test_data_that_lead_elsewhere(create_stack: Create, server: HookServer) -> None:
    template = example(GROUP)
    template["resources"]["config"]["properties"]["config"]["datafiles"] = {"../a": {}}
    stack = create_stack(template)
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 1" in stack.reason
    assert "'../a.json' cannot be a file below" in stack.output("stderr")


def test_the_first_in_the_hierarchy_counts_first(server: HookServer) -> None:
    """In version 3 a name that begins with ``%`` had to be quoted by its author."""
    data = {"special": {"colour": "rot"}, "common": {"colour": "blau", "much": "ü" * 2_500_000}}
    answer, _ = server.hook({"hierarchy": ['"special"', "common"], "datafiles": data})
    assert answer["deploy_status_code"] == 0, answer
    assert "rot" in lookup(server, "colour")
    assert "ü" * 1000 in lookup(server, "much")
