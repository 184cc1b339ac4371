# SPDX-License-Identifier: Apache-2.0
"""RPMs: in an empty root, and installed, upgraded and removed in one that has their Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab.command import run
from lab.venv import locked
from packages import roots
from packages.build import Build, build
from packages.releases import RELEASES
from packages.rpm import RPM
from tests.support.package_root import ENABLED, STATE, Root
from tests.support.packaged import MODES, paths

# Debian knows no packages of these names.
INSTALL = "rpm --nodeps --upgrade --verbose"
WHILE_A_CONFIG_RUNS = f"flock {STATE} rpm --nodeps --erase heat-config"


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages in ``now``, and of a later build in ``later``."""
    folder = tmp_path_factory.mktemp("rpms")
    for name, revision in (("now", 1), ("later", 2)):
        (folder / name).mkdir()
        for path in build(Build(RPM, RELEASES["bookworm"], revision)):
            shutil.copy(path, folder / name)
    return folder


@pytest.fixture
def root(rpms: Path, tmp_path: Path) -> Root:
    """Debian 12, which has the same Python, with rpm and what the agent needs."""
    with locked(roots.LOCK):
        needed = ("ca-certificates", "jq", "python3", "rsync", "rpm", "systemd-sysv")
        pristine = roots.made(RELEASES["bookworm"], needed)
    return Root(pristine, rpms, tmp_path)


def test_in_an_empty_root_all_is_as_it_was_packed(rpms: Path, tmp_path: Path) -> None:
    alone = ["rpm", f"--root={tmp_path}", "--nodeps", "--noscripts"]
    run([*alone, "--install", *sorted((rpms / "now").glob("*.rpm"))])

    assert run([*alone, "--verify", "--all"]) == ""
    folder = tmp_path / "var/lib/heat-config/outbox"
    assert folder.stat().st_mode & 0o777 == 0o700
    python = tmp_path / "opt/heat-config/bin/python3.11"
    assert python.readlink() == Path("/usr/bin/python3.11")
    hooks = {path.name for path in (tmp_path / "usr/libexec/heat-config/hooks").iterdir()}
    assert {"ansible", "puppet", "script"} < hooks


def test_installed_upgraded_and_removed(root: Root) -> None:
    both = "heat-config-0* heat-config-script*"
    root.run("mkdir -p /etc/pki/tls/certs")
    root.run("ln -s /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt")

    root.run(f"cd /packages/now; {INSTALL} {both}")
    assert root.run(f"stat -c '%a %n' {' '.join(paths())}") == MODES
    assert root.run(ENABLED).split() == [
        *("heat-config-deliver.path", "heat-config-resume.path", "os-collect-config.service"),
    ]
    assert "nothing has come from Heat" in root.run("heat-config status", status=2)

    root.run("echo HEAT_CONFIG_DEADLINE=25 >> /etc/heat-config.conf")
    root.run("systemctl --quiet disable heat-config-resume.path")
    root.run(f"cd /packages/later; {INSTALL} {both}")
    assert root.run("rpm --query heat-config").startswith("heat-config-0.1.0-2.el9.")
    assert root.run("tail -n 1 /etc/heat-config.conf") == "HEAT_CONFIG_DEADLINE=25\n"
    assert root.run(ENABLED).split() == ["heat-config-deliver.path", "os-collect-config.service"]

    root.run(f"mkdir -m 700 {STATE}; touch {STATE}/one.json")
    assert "a config is being run: wait for it" in root.run(WHILE_A_CONFIG_RUNS, status=1)
    root.run("test -e /usr/libexec/heat-config/hooks/script")
    root.run("rpm --erase heat-config-script heat-config")
    root.run(f"test ! -e /opt/heat-config; test -e {STATE}/one.json")
    assert root.run(ENABLED, status=1) == ""
