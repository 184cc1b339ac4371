# SPDX-License-Identifier: Apache-2.0
"""Debian's packages in a root whose systemd does not run, as where an image is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.package_root import ENABLED, STATE, Root
from tests.support.packaged import APT, DEPENDENCIES, MODES, paths

# Holds the lock that a run holds, and meanwhile asks for the agent's removal.
WHILE_A_CONFIG_RUNS = f"flock {STATE} {APT} remove heat-config"


@pytest.fixture
def root(pristine: Path, built: Path, tmp_path: Path) -> Root:
    made = Root(pristine, built, tmp_path)
    made.run(f"{APT} install {' '.join(DEPENDENCIES)}")
    return made


def test_installed_upgraded_removed_and_purged(root: Root) -> None:
    before = root.everything()

    root.run(f"{APT} install /packages/now/*.deb")
    assert root.run(f"stat -c '%a %n' {' '.join(paths())}") == MODES
    assert root.run("dpkg --verify heat-config heat-config-script") == ""
    assert root.run(ENABLED).split() == [
        *("heat-config-deliver.path", "heat-config-resume.path", "os-collect-config.service"),
    ]
    assert "nothing has come from Heat" in root.run("heat-config status", status=2)

    _decide_otherwise(root)
    root.run(f"{APT} install /packages/later/*.deb")
    assert "-2+deb" in root.run("dpkg-query -Wf '${Version}' heat-config")
    assert root.run("tail -n 1 /etc/heat-config.conf") == "HEAT_CONFIG_DEADLINE=25\n"
    assert root.run(ENABLED).split() == ["heat-config-deliver.path", "os-collect-config.service"]
    # Nobody has decided that.
    assert root.run("stat -c %a /var/lib/heat-config") == "700\n"

    assert "a config is being run: wait for it" in root.run(WHILE_A_CONFIG_RUNS, status=100)
    root.run("test -e /usr/libexec/heat-config/hooks/script")
    root.run(f"{APT} remove heat-config")
    kept = ("/etc/heat-config.conf", "/etc/os-collect-config.conf", f"{STATE}/one.json")
    assert root.run(f"ls {' '.join(kept)}").split() == list(kept)
    root.run("test ! -e /opt/heat-config")

    root.run(f"{APT} purge heat-config heat-config-script")
    assert root.everything() == before


def _decide_otherwise(root: Root) -> None:
    """As an operator does; and a run has left something."""
    root.run("echo HEAT_CONFIG_DEADLINE=25 >> /etc/heat-config.conf")
    root.run("systemctl --quiet disable heat-config-resume.path; chmod 755 /var/lib/heat-config")
    root.run(f"mkdir -m 700 {STATE}; touch {STATE}/one.json")


def test_what_heat_config_install_has_installed_is_to_be_taken_away_first(root: Root) -> None:
    root.run("mkdir /var/lib/heat-config; touch /var/lib/heat-config/installed.json")
    said = root.run(f"{APT} install /packages/now/*.deb", status=100)
    assert "take it away first" in said
