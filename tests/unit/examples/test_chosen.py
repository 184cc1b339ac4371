# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

from examples import chosen, cloud, table
from examples.play import Outcome

TEMPLATE = """
heat_template_version: 2013-05-23
parameters:
  image: {type: string, constraints: [{custom_constraint: glance.image}]}
  flavor: {type: string, default: m1.small}
  env_file_0: {type: string}
resources:
  config:
    type: OS::Heat::SoftwareConfig
    properties:
      config: {get_file: script.sh}
"""


def test_environments_are_no_templates(tmp_path: Path) -> None:
    for name in ("b.yaml", "b_env.yaml", "sub/a.yaml", "c.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert chosen.templates(tmp_path) == [tmp_path / "sub/a.yaml", tmp_path / "b.yaml"]


def test_a_template_is_read_with_its_files_and_without_what_a_cloud_would_check(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    (tmp_path / "script.sh").write_text("#!/bin/sh\n")
    template, files = cloud.read(str(tmp_path / "t.yaml"))
    assert template["parameters"]["image"] == {"type": "string"}
    assert list(files.values()) == ["#!/bin/sh\n"]
    assert cloud.parameters(template) == {"image": "any", "env_file_0": "A=b"}


def test_what_stands_for_a_server_has_all_that_heat_wants_of_one() -> None:
    made = json.loads(cloud.server(["name", "networks"]))
    wanted = {"name", "networks", "OS::stack_id", "os_collect_config", "user_data"}
    assert wanted <= set(made["outputs"])
    assert "default" in made["parameters"]["image"]


def test_what_fails_with_every_agent_must_fail_so() -> None:
    own = Outcome(1, 3, 2.0, "no attribute 'pkg-apache'")
    assert table.passed("example-salt-template", own)
    assert "as with every agent: on Debian" in table.row("example-salt-template", own)
    for problem in ("", "another"):
        assert not table.passed("example-salt-template", Outcome(1, 3, 2.0, problem))
    assert not table.passed("example-script-template", own)
    assert table.row("t", own).endswith("| 1 | 3 | 2.0 | FAILED: no attribute 'pkg-apache'")


def test_the_last_line_counts() -> None:
    good, bad = Outcome(1, 1, 1.0), Outcome(1, 1, 1.0, "no")
    said = "example-templates: passed, 1 of 1 templates, 8 not run, in 2 s"
    assert table.summary({"a": good}, 8, 2.0) == said
    assert table.summary({"a": good, "b": bad}, 0, 2.0).startswith(
        "example-templates: FAILED, 1 of"
    )
    assert table.summary({}, 8, 2.0).startswith("example-templates: FAILED, 0 of 0")
