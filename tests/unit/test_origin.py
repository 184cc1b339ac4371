# SPDX-License-Identifier: Apache-2.0
"""Whose word the rendered deployments are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heat_config import origin
from heat_config.hookkit import containers
from heat_config.settings import Settings

BOOT: dict[str, Any] = {"deployments": [], "os-collect-config": {}}


def sources(folder: Path, **contents: Any) -> dict[str, str]:
    paths = [folder / f"{name}.json" for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return {"OS_CONFIG_FILES": ":".join(map(str, paths))}


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        ({"heat_local": BOOT, "zaqar": BOOT}, "zaqar"),
        ({"zaqar": BOOT, "heat_local": BOOT}, "heat_local"),
        ({"heat_local": BOOT, "zaqar": {"deployments": None}}, "heat_local"),
        ({"heat_local": BOOT, "zaqar": "torn {"}, "heat_local"),
        ({"heat_local": {}, "zaqar": []}, None),
        ({}, None),
    ],
)
def test_it_is_that_of_the_last_source_with_a_list(
    tmp_path: Path, contents: dict[str, Any], found: str | None
) -> None:
    environ = sources(tmp_path, **contents)
    assert origin.of_deployments(environ) == found
    listed = tmp_path / "list"
    listed.write_text(json.dumps([each for each in environ["OS_CONFIG_FILES"].split(":") if each]))
    assert origin.of_deployments({"OS_CONFIG_FILES_PATH": str(listed)}) == found


def test_where_no_source_is_known_it_is_nobodys(tmp_path: Path) -> None:
    assert origin.of_deployments({"OS_CONFIG_FILES_PATH": str(tmp_path / "none")}) is None


def test_what_os_apply_config_takes_besides_is_what_the_server_was_booted_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fallback = tmp_path / "cfn-init-data"
    fallback.write_text(json.dumps(BOOT))
    monkeypatch.setattr(origin, "FALLBACKS", (str(fallback),))
    assert origin.of_deployments(sources(tmp_path, local={})) == origin.BOOT
    assert origin.of_deployments(sources(tmp_path, zaqar=BOOT)) == "zaqar"


@pytest.mark.parametrize("source", [*origin.HEATS, "heat_local", "local", "ec2"])
def test_only_heats_list_says_what_is_to_be_removed(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    Path(settings.config_file).write_text("[]")
    for name, value in sources(tmp_path, **{source: BOOT}).items():
        monkeypatch.setenv(name, value)
    assert containers.metadata() == ([] if source in origin.HEATS else None)
