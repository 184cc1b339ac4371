# SPDX-License-Identifier: Apache-2.0
"""What comes into which package: all that the description has, each thing once."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from heat_config.install import server
from heat_config.install.items import Place
from heat_config.install.steps import File, Folder, Link
from heat_config.install.tools import System
from packages import layout
from packages.layout import Package
from tests.support.checkout import ELEMENTS, REPOSITORY

DEBIAN = System("debian", "bookworm", "debian")
UNITS = "/lib/systemd/system"
CONTROL = REPOSITORY / "packages/debian/control"
PROGRAMS = ("heat-config-collect", "os-apply-config", "os-refresh-config", "dib-run-parts")
OURS = ("heat-config", "heat-config-notify", "heat-config-rebuild-deployed")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where the environment is while it is built."""
    folder = tmp_path / "agent/opt/heat-config/bin"
    folder.mkdir(parents=True)
    for name in (*PROGRAMS, *OURS):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return Place(Path("/opt/heat-config/bin"), "/usr/bin", UNITS, root=tmp_path / "agent")


@pytest.fixture
def made(place: Place) -> dict[str, Package]:
    return {package.name: package for package in layout.packages(ELEMENTS, place, DEBIAN)}


def test_together_they_are_an_installation_with_all_hooks(
    made: dict[str, Package], place: Place
) -> None:
    whole = server.plan(ELEMENTS, layout.groups(ELEMENTS), place)
    steps = [step for package in made.values() for step in package.steps]
    units = [unit for package in made.values() for unit in package.units]
    assert sorted(steps, key=repr) == sorted(set(whole.steps), key=repr)
    assert sorted(units) == sorted(whole.units)


def test_each_is_in_debians_control_and_none_else(made: dict[str, Package]) -> None:
    assert re.findall("(?m)^Package: (.*)$", CONTROL.read_text()) == list(made)


def test_each_needs_what_its_elements_ask_for(made: dict[str, Package]) -> None:
    assert made["heat-config"].needs == ("ca-certificates", "jq", "python3", "rsync")
    assert made["heat-config-docker-compose"].needs == ("docker.io", "docker-compose")
    assert made["heat-config-script"].needs == ()


def test_what_programs_write_is_brought_along_and_what_is_an_operators_is_a_conffile(
    made: dict[str, Package], tmp_path: Path
) -> None:
    layout.make(made["heat-config"], tmp_path / "root")

    def is_there(path: str) -> bool:
        return (tmp_path / "root" / path.lstrip("/")).exists()

    assert is_there("/etc/heat-config.conf")
    for path in ("/etc/os-collect-config.conf", "/var/log/os-apply-config.log"):
        assert not is_there(path)
        assert is_there(f"/usr/share/heat-config/first{path}")
    assert stat.S_IMODE((tmp_path / "root/var/lib/heat-config").stat().st_mode) == 0o700
    link = tmp_path / "root/usr/bin/heat-config"
    assert link.readlink() == Path("/opt/heat-config/bin/heat-config")


def test_the_scripts_know_all_that_dpkg_does_not(made: dict[str, Package]) -> None:
    agent = made["heat-config"]
    given = {name: words.split() for name, words in layout.tokens(agent, UNITS).items()}

    units = {step.path for step in agent.steps if step.path.startswith(f"{UNITS}/")}
    assert {f"{UNITS}/{unit}" for unit in given["ENABLED"] + given["STARTED"]} == units
    assert not set(given["ENABLED"]) & set(given["STARTED"])
    assert {*OURS, *PROGRAMS} < set(given["PROGRAMS"])
    private = [step for step in agent.steps if isinstance(step, Folder) and step.is_private]
    assert given["PRIVATE"] == [step.path for step in private]
    # What is left when dpkg has taken away its own, and conffiles with a purge.
    whole = set(server.left_behind(agent.steps))
    assert set(given["LEFT"]) == whole - {"/etc/heat-config.conf"}


def test_a_hooks_package_has_its_files_alone(made: dict[str, Package]) -> None:
    script = made["heat-config-script"].steps
    assert [step.path for step in script] == ["/usr/libexec/heat-config/hooks/script"]
    assert all(isinstance(step, File | Link) for step in script)
    assert made["heat-config-kubelet"].units == ("heat-config-kubelet-load-images.service",)
