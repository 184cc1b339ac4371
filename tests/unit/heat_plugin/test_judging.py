# SPDX-License-Identifier: Apache-2.0
"""What heat-config-heat-check takes for right, and what it says helps."""

from __future__ import annotations

import pytest

from heat_plugin import judging
from heat_plugin.judging import Finding

OURS = "/venv/heat_plugin/share/plugin_dir"


def test_a_finding_is_a_line_and_its_remedy_another() -> None:
    assert Finding("role", "heat_stack_user").written() == "ok       role: heat_stack_user"
    written = Finding("role", "none", "make it").written()
    assert written == "MISSING  role: none\n         -> make it"


def test_the_exit_status_says_whether_anything_is_missing() -> None:
    fine, missing = Finding("a", "b"), Finding("a", "b", "c")
    assert judging.status([fine, fine]) == 0
    assert judging.status([fine, missing]) == 1


def test_it_says_so_where_a_refusal_had_no_words() -> None:
    assert judging.refused("Zaqar", "", "start it").said == "no reason was given"


def test_a_heat_with_other_names_is_not_the_one_that_is_known() -> None:
    assert judging.names([], ["27.0.1"]).ok
    finding = judging.names(["heat.a", "heat.b", "heat.c", "heat.d"], ["27.0.1"])
    assert finding.said.startswith("4 names") and "27.0.1" in finding.remedy


def test_the_plugin_is_loaded_once() -> None:
    assert judging.plugin_dirs(["/a", OURS], [OURS], OURS).ok
    assert not judging.plugin_dirs(["/a", OURS], ["/a", OURS], OURS).ok


def test_the_remedy_keeps_the_folders_that_are_there() -> None:
    assert f"plugin_dirs = /a,{OURS} " in judging.plugin_dirs(["/a"], [], OURS).remedy


def test_both_ways_to_use_it_are_right() -> None:
    assert "all stacks" in judging.environment("/etc/e", ["heat-config.yaml"], []).said
    assert judging.environment("/etc/e", [], []).ok
    assert not judging.environment("/etc/e", [], ["broken.yaml"]).ok


@pytest.mark.parametrize(
    ("size", "workers", "deployments", "ok"),
    [(64, 4, 255, True), (64, 4, 256, False), (640, 1, 500, True), (64, 1, 500, False)],
)
def test_a_thread_is_left_beside_those_of_the_deployments(
    size: int, workers: int, deployments: int, ok: bool
) -> None:
    assert judging.threads(size, workers, deployments).ok is ok


def test_what_it_asks_for_is_enough() -> None:
    remedy = judging.threads(64, 4, 500).remedy
    asked = int(remedy.partition(" = ")[2].partition(" ")[0])
    assert judging.threads(asked, 4, 500).ok


def test_each_option_that_is_not_set_is_named() -> None:
    assert judging.domain_options("admin", "secret", "heat").ok
    finding = judging.domain_options(None, "", "heat")
    assert finding.said == "names no stack_domain_admin, stack_domain_admin_password"


def test_a_token_for_no_domain_is_none_for_the_stacks() -> None:
    assert judging.domain("heat", "abc").ok
    assert not judging.domain("heat", None).ok


def test_the_role_is_there() -> None:
    assert judging.role("heat_stack_user", 1).ok
    assert judging.role("mine", 0).remedy == "openstack role create mine"


def test_servers_and_heat_need_an_endpoint_each() -> None:
    found: dict[str, str | None] = {"public": "https://z", "internalURL": "http://z"}
    assert judging.catalog("R", "internalURL", found).ok
    finding = judging.catalog("R", "internalURL", {**found, "internalURL": None})
    assert finding.said == "no endpoint internal of type messaging in region R"
    assert "--region R messaging internal" in finding.remedy


def test_a_message_that_is_gone_at_once_was_lost_by_the_storage() -> None:
    assert judging.message(True, "Zaqar").ok
    assert "message_store" in judging.message(False, "Zaqar").remedy
