# SPDX-License-Identifier: Apache-2.0
"""The systemd units that an image gets, held together with each other and with the program."""

from __future__ import annotations

from configparser import ConfigParser

import pytest

from heat_config import settings
from tests.support.checkout import REPOSITORY

UNITS = {path.name: path for path in REPOSITORY.glob("elements/*/init-scripts/systemd/*")}


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)
    parser.read(UNITS[name])
    return parser


@pytest.mark.parametrize("option", ["KillMode", "Delegate", "OOMPolicy"])
def test_both_services_that_run_configs_leave_them_alone(option: str) -> None:
    """Where a script uses up the memory, systemd would end the agent, which has its result."""
    collects, resumes = unit("os-collect-config.service"), unit("heat-config-resume.service")
    assert collects["Service"][option] == resumes["Service"].get(option)


@pytest.mark.parametrize("later", ["os-collect-config.service", "podman-auto-update.service"])
def test_container_images_are_loaded_before_any_are_used_or_pruned(later: str) -> None:
    lines = UNITS["heat-config-kubelet-load-images.service"].read_text().splitlines()
    assert f"Before={later}" in lines


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("heat-config-deliver", settings.load({}).outbox),
        ("heat-config-resume", settings.load({}).unfinished),
    ],
)
def test_what_they_wait_for_is_where_the_program_puts_it(name: str, folder: str) -> None:
    assert unit(f"{name}.path")["Path"]["PathExistsGlob"] == f"{folder}/*.json"
    condition = unit(f"{name}.service")["Unit"]["ConditionPathExistsGlob"]
    assert condition == f"{folder}/*.json"
