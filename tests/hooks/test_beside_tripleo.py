# SPDX-License-Identifier: Apache-2.0
"""An image for which people ask for elements of tripleo-image-elements, too: ours stand first."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import peer
from lab.image import Others, build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server
from tests.support.checkout import ELEMENTS

# The newest, and the last one with hosts, ntp and os-net-config.
RELEASES = ("15.0.0", "14.2.0")
THEIRS = ("enable-packages-install", "os-svc-install", "pip-manifest")
SETTINGS = {
    # dib takes Python 2 for Debian's.
    "DIB_PYTHON_VERSION": "3",
    "OS_COLLECT_CONFIG_VENV_DIR": "/opt/stack/venvs/collect",
}
OURS_TOO = {"os-apply-config", "os-collect-config", "os-refresh-config"}

# What an operator's own element does with theirs while an image is built.
INSTALL = """#!/bin/bash
set -eux
manifest=$(get-pip-manifest mine)
[ -z "$manifest" ]
"$OS_APPLY_CONFIG_VENV_DIR/bin/os-apply-config" --print-templates > /srv/templates
"$OS_COLLECT_CONFIG_VENV_DIR/bin/os-collect-config" --version
/opt/stack/venvs/os-refresh-config/bin/os-refresh-config --print-base > /srv/base
rsync "$0" /srv/
systemctl disable os-collect-config
os-svc-enable -n os-collect-config
"""
DEPLOYMENT = {
    "id": "with-jq",
    "name": "with-jq",
    "group": "script",
    "config": '#!/bin/sh\njq -nr \'"from " + "jq"\'',
    "inputs": [],
    "outputs": [],
    "options": {},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("elements")
    install = own / "mine/install.d/70-mine"
    install.parent.mkdir(parents=True)
    install.write_text(INSTALL)
    install.chmod(0o755)
    folders = (own, *map(peer.tripleo_elements, RELEASES))
    return unpack(build_tar(elements=[*THEIRS, "mine"], others=Others(folders, SETTINGS)))


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    data = {"deployments": [DEPLOYMENT]}
    found = File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data))
    with Server(root, files=[BOOT_CONFIG, found]) as booted:
        yield booted


def test_the_build_says_what_it_does_not_follow(root: Path) -> None:
    log = (root.parent / "build.log").read_text(errors="replace")
    assert "heat-config-venv: DIB_DEFAULT_INSTALLTYPE=package is not followed here: " in log


def test_the_programs_are_ours_under_each_of_their_names(root: Path) -> None:
    venv = "/opt/stack/venvs/heat-config/bin"
    links = {
        "usr/local/bin/os-collect-config": "heat-config-collect",
        "opt/stack/venvs/collect/bin/os-collect-config": "heat-config-collect",
        "opt/stack/venvs/os-apply-config/bin/os-apply-config": "os-apply-config",
        "opt/stack/venvs/os-refresh-config/bin/os-refresh-config": "os-refresh-config",
        "opt/stack/venvs/os-refresh-config/bin/dib-run-parts": "dib-run-parts",
    }
    found = {path: str((root / path).readlink()) for path in links}
    assert found == {path: f"{venv}/{name}" for path, name in links.items()}
    theirs = root / "usr/libexec/os-refresh-config/post-configure.d/99-refresh-completed"
    assert not theirs.exists()


def test_an_operators_element_finds_what_upstreams_elements_gave_it(root: Path) -> None:
    assert (root / "srv/templates").read_text() == "/usr/libexec/os-apply-config/templates\n"
    assert (root / "srv/base").read_text() == "/usr/libexec/os-refresh-config\n"
    assert (root / "srv/70-mine").read_text() == INSTALL


def test_the_service_runs_and_jq_is_there(server: Server) -> None:
    result = "/var/lib/heat-config/deployed/with-jq.notify.json"
    server.wait_for(lambda it: it.read(result), what="the result")
    assert json.loads(server.read(result))["deploy_stdout"] == "from jq\n"
    assert server.run(["systemctl", "is-enabled", "os-collect-config"]).stdout == "enabled\n"


@pytest.mark.parametrize("release", RELEASES)
def test_no_other_element_of_theirs_has_a_file_of_ours(release: str) -> None:
    """In an image they are all in one folder: of two of one name only one would be left."""
    theirs = files(peer.tripleo_elements(release))
    ours = files(ELEMENTS)
    named_alike = set(theirs) & set(ours)
    assert {name for path in named_alike for name in theirs[path]} <= OURS_TOO


def files(elements: Path) -> dict[Path, set[str]]:
    """The files in the folders of elements, below these, and whose they are."""
    owners = defaultdict(set)
    for path in elements.glob("*/*/**/*"):
        if path.is_file():
            element, *below = path.relative_to(elements).parts
            owners[Path(*below)].add(element)
    return owners
