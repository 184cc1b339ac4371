# SPDX-License-Identifier: Apache-2.0
"""The systemd units that an image gets, held together with each other and with the program."""

from __future__ import annotations

import re
import subprocess
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


def security(name: str) -> str:
    """What systemd says of a unit's exposure: a table, and the sum of it from 0 to 10."""
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS[name])]
    return subprocess.run(argv, text=True, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("name", "most"),
    [("heat-config-deliver.service", 2.5), ("heat-config-kubelet-load-images.service", 4.0)],
)
def test_a_service_that_runs_no_config_is_exposed_to_little(name: str, most: float) -> None:
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", security(name))
    assert found
    assert float(found.group(1)) < most


def test_systemd_knows_all_that_a_unit_says() -> None:
    for path in UNITS.values():
        argv = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)]
        said = subprocess.run(argv, text=True, capture_output=True, check=False).stderr
        assert [line for line in said.splitlines() if str(path) in line] == []


@pytest.mark.parametrize("name", ["os-collect-config.service", "heat-config-resume.service"])
def test_a_service_that_runs_configs_confines_them_in_nothing(name: str) -> None:
    """They configure all of a server; the unit says so for each limit that it does not set."""
    shared = {"type", "user", "execstart", "successexitstatus", "timeoutstartsec", "umask"}
    confining = set(unit("heat-config-deliver.service")["Service"]) - shared
    assert "protectsystem" in confining
    assert confining & set(unit(name)["Service"]) == set()
