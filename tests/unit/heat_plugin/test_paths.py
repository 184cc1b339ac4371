# SPDX-License-Identifier: Apache-2.0
"""What heat-config-heat-paths prints is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from heat_plugin import paths


def test_one_is_printed_for_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert paths.main(["plugin_dirs"]) == 0
    assert Path(capsys.readouterr().out.strip(), "heat_config_types.py").is_file()


def test_all_are_printed_as_lines_of_heat_conf(capsys: pytest.CaptureFixture[str]) -> None:
    assert paths.main([]) == 0
    lines = dict(line.split(" = ") for line in capsys.readouterr().out.splitlines())
    assert set(lines) == {"plugin_dirs", "environment_dir"}
    assert Path(lines["environment_dir"], "heat-config.yaml").is_file()
