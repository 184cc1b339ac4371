# SPDX-License-Identifier: Apache-2.0
"""Which program runs compose, where a server has several; the real ones are in tests/hooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from heat_config.hookkit import HookError
from heat_config.hookkit.containers import compose

DOCKER = "#!/bin/sh\n[ \"$1 $2\" = 'compose version' ]\n"
DOCKER_WITHOUT_PLUG_IN = "#!/bin/sh\nexit 1\n"
OTHER = "#!/bin/sh\nexit 0\n"


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ({"docker": DOCKER, "docker-compose": OTHER}, ["docker", "compose"]),
        ({"docker": DOCKER_WITHOUT_PLUG_IN, "docker-compose": OTHER}, ["docker-compose"]),
        ({"docker-compose": OTHER, "podman-compose": OTHER}, ["docker-compose"]),
        ({"docker": DOCKER_WITHOUT_PLUG_IN, "podman-compose": OTHER}, ["podman-compose"]),
    ],
)
def test_the_first_that_works_is_taken(
    programs: dict[str, str], found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compose.find() == found


def test_a_variable_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEAT_DOCKER_COMPOSE_CMD", "/bin/sh compose --ansi=never")
    assert compose.find() == ["/bin/sh", "compose", "--ansi=never"]


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", "a\0"])
def test_a_projects_name_never_leads_elsewhere(name: str) -> None:
    with pytest.raises(HookError, match="cannot be a folder's"):
        compose.Project.of(name)
