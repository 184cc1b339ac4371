# SPDX-License-Identifier: Apache-2.0
"""What the operator is told that a hook's tool needs."""

from __future__ import annotations

import pytest

from heat_config.install import tools
from heat_config.install.tools import System
from tests.support.checkout import ELEMENTS

DEBIAN = System("debian", "bookworm", "debian")


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ('ID=debian\nVERSION_CODENAME=bookworm\nNAME="Debian"', DEBIAN),
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=jammy", System("ubuntu", "jammy", "debian")),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', System("rocky", "", "redhat")),
        ('ID="sled"\nID_LIKE="suse"', System("sled", "", "suse")),
        ("", System("", "", "")),
        ("# nothing\nID=arch", System("arch", "", "")),
    ],
)
def test_reads_which_system_it_is(release: str, expected: System) -> None:
    assert tools.system_of(release) == expected


@pytest.mark.parametrize(
    ("group", "system", "expected"),
    [
        ("docker-compose", DEBIAN, "apt-get install docker.io docker-compose"),
        (
            "docker-compose",
            System("ubuntu", "noble", "debian"),
            "apt-get install docker.io docker-compose-v2",
        ),
        ("docker-compose", System("rocky", "", "redhat"), "dnf install podman podman-compose"),
        ("puppet", System("ubuntu", "jammy", "debian"), "apt-get install puppet"),
        ("puppet", DEBIAN, "apt-get install puppet-agent"),
        ("puppet", System("sles", "", "suse"), "zypper install puppet"),
        ("ansible", System("arch", "", ""), "install ansible-core"),
    ],
)
def test_names_the_packages_as_the_distribution_does(
    group: str, system: System, expected: str
) -> None:
    assert tools.needed(ELEMENTS / f"heat-config-{group}", system) == [expected]


def test_names_the_environment_of_a_tool_that_has_its_own() -> None:
    element = ELEMENTS / "heat-config-salt"
    make, link = tools.needed(element, DEBIAN)
    lists = f"-r {element}/heat-config-tools/salt/requirements.txt"
    assert make.startswith("python3 -m venv /opt/stack/venvs/salt && ")
    assert lists in make
    assert make.endswith("sources.txt")
    assert link == "ln -s /opt/stack/venvs/salt/bin/salt-call /usr/local/bin/salt-call"


def test_a_hook_without_a_tool_needs_nothing() -> None:
    assert tools.needed(ELEMENTS / "heat-config-script", DEBIAN) == []
