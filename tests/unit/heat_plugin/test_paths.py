# SPDX-License-Identifier: Apache-2.0
"""What heat-config-heat-paths prints is there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from heat_plugin import paths, turning


def test_one_is_printed_for_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert paths.main(["plugin_dirs"]) == 0
    assert Path(capsys.readouterr().out.strip(), "heat_config_types.py").is_file()


def test_all_are_printed_as_lines_of_heat_conf(capsys: pytest.CaptureFixture[str]) -> None:
    assert paths.main([]) == 0
    lines = dict(line.split(" = ") for line in capsys.readouterr().out.splitlines())
    assert set(lines) == {"plugin_dirs", "environment_dir"}
    assert Path(lines["environment_dir"], "heat-config.yaml").is_file()


def test_what_one_stack_is_given_is_printed_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert paths.main(["users"]) == 0
    assert Path(capsys.readouterr().out.strip()).name == "heat-config-users.yaml"


def test_both_environments_map_the_same_names_to_types_of_the_plugins_that_stand_for_them() -> None:
    folder = paths.PATHS["environment_dir"]
    each = [folder / "heat-config.yaml", paths.FOR_STACKS["users"]]
    mapped = [yaml.safe_load(path.read_text())["resource_registry"] for path in each]
    assert mapped[0].keys() == mapped[1].keys() == set(turning.HEATS_NAME.values())
    for heats, ours in [pair for one in mapped for pair in one.items()]:
        assert turning.HEATS_NAME[ours] == heats
    assert {ours for one in mapped for ours in one.values()} == turning.HEATS_NAME.keys()
