# SPDX-License-Identifier: Apache-2.0
"""Pristine cloud images, on which the user data of boot-config install the agent at first boot."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from heatclient.common import template_utils

from lab.command import run
from lab.server import File, Server
from lab.stack import Heat, Stack, wait_for
from lab.venv import locked, python
from packages import roots
from packages.releases import Release
from tests.support.checkout import REPOSITORY
from tests.support.packaged import DEPENDENCIES
from tests.support.packages_on_servers import shell
from tests.support.repository import list_packages, served

BOOT_CONFIG = REPOSITORY / "boot-config"
# What the packages need, and pip's environment. Nothing of it is installed.
NEEDED = (*DEPENDENCIES, "python3-venv")
DOWNLOAD = f'chroot "$1" apt-get -qq install --download-only {" ".join(NEEDED)}'
# This machine's network is not the server's to set up, and there is no cloud to ask.
SETTINGS = "datasource_list: [NoCloud]\\nnetwork: {config: disabled}\\n"
CLOUD = f'printf "{SETTINGS}" > "$1/etc/cloud/cloud.cfg.d/99-here.cfg"'
# Seconds, and minutes, for a boot and what it installs.
PATIENCE, MINUTES = 600.0, 15
# Prints what Heat gives Nova: $1: the metadata, stdin: the server's user data.
USER_DATA = """
import json, sys
from heat.engine.clients.os.nova import NovaClientPlugin
build = NovaClientPlugin.build_userdata
metadata, given = json.loads(sys.argv[1]), sys.stdin.read()
print(build(None, metadata, given, user_data_format="SOFTWARE_CONFIG"))
"""
TEMPLATE = {
    "heat_template_version": "2021-04-16",
    "resources": {
        "boot_config": {"type": "Heat::InstallConfigAgent"},
        "server": {
            "type": "OS::Heat::DeployedServer",
            "properties": {"software_config_transport": "ZAQAR_MESSAGE"},
        },
        "config": {
            "type": "OS::Heat::SoftwareConfig",
            "properties": {
                "group": "script",
                "outputs": [{"name": "came"}],
                "config": "readlink -f $(command -v heat-config) > $heat_outputs_path.came",
            },
        },
        "deployment": {
            "type": "OS::Heat::SoftwareDeployment",
            "properties": {
                "config": {"get_resource": "config"},
                "server": {"get_resource": "server"},
                "signal_transport": "ZAQAR_SIGNAL",
            },
        },
    },
    "outputs": {
        "boot_config": {"value": {"get_attr": ["boot_config", "config"]}},
        "server": {"value": {"get_attr": ["server", "os_collect_config"]}},
        "came": {"value": {"get_attr": ["deployment", "came"]}},
    },
}


class Kind(NamedTuple):
    """One of the environments."""

    name: str
    program: str
    """What ``heat-config`` is in the end."""

    def defaults(self, address: str, debs: list[str]) -> dict[str, Any]:
        """What the operator writes into it: that all of it is at an address."""
        kinds: dict[str, dict[str, Any]] = {
            "apt": {
                "heat_config_repository": f"deb [trusted=yes] {address} ./",
                "heat_config_repository_key": "",
            },
            "deb": {"heat_config_packages": [f"{address}{name}" for name in debs]},
            "pip": {"heat_config_pip_options": ["--no-index", f"--find-links={address}wheels/"]},
        }
        return kinds[self.name]


KINDS = [
    Kind("apt", "/opt/heat-config/bin/heat-config"),
    Kind("deb", "/opt/heat-config/bin/heat-config"),
    Kind("pip", "/opt/stack/venvs/heat-config/bin/heat-config"),
]


@pytest.fixture(scope="module")
def image(release: Release) -> Path:
    """The root of a cloud image, with nothing of ours. Do not write to it."""
    with locked(roots.LOCK):
        return roots.made(release, ("systemd-sysv", "cloud-init"), DOWNLOAD, CLOUD)


@pytest.fixture(scope="module")
def folder(image: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that servers may fetch."""
    made = tmp_path_factory.mktemp("served")
    for path in (*(built / "now").glob("*.deb"), *(image / "var/cache/apt/archives").glob("*.deb")):
        shutil.copy(path, made)
    list_packages(made)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", f"--wheel-dir={made / 'wheels'}"]
    run([*wheel, f"heat-config[server] @ file://{REPOSITORY}"])
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as address:
        yield address


def create(heat: Heat, kind: Kind, defaults: dict[str, Any], scratch: Path) -> Stack:
    """As ``openstack stack create -e``."""
    own = scratch / "own.yaml"
    own.write_text(yaml.safe_dump({"parameter_defaults": defaults}))
    listed = [str(BOOT_CONFIG / f"debian_{kind.name}_env.yaml"), str(own)]
    files, environment = template_utils.process_multiple_environments_and_files(listed)
    name = f"boot-{kind.name}"
    return heat.create(name, TEMPLATE, minutes=MINUTES, environment=environment, files=files)


def seed(heat: Heat, stack: Stack, to: Path) -> None:
    """Write what Nova would give the server's cloud-init."""
    # Until it is there Heat gives a name in place of its id.
    made_of = partial(heat.api.resources.get, stack.id, "boot_config")
    wait_for("the user data", lambda: made_of().resource_status == "CREATE_COMPLETE")
    config = stack.output("boot_config")
    told = wait_for("the server", lambda: (stack.output("server") or {}).get("zaqar"))
    assert told
    metadata = {"deployments": [], "os-collect-config": stack.output("server")}
    made = subprocess.run(
        [python(), "-c", USER_DATA, json.dumps(metadata)],
        input=heat.api.software_configs.get(config).config,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    to.mkdir(mode=0o700)
    (to / "user-data").write_text(made.stdout)
    (to / "meta-data").write_text(f"instance-id: {stack.id}\n")


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
@pytest.mark.parametrize("release", ["bookworm"], indirect=True)
def test_a_pristine_image_does_what_heat_asks_for(
    kind: Kind, heat: Heat, image: Path, folder: Path, address: str, tmp_path: Path
) -> None:
    debs = [path.name for path in folder.glob("heat-config*.deb")]
    stack = create(heat, kind, kind.defaults(address, debs), tmp_path)
    seed(heat, stack, tmp_path / "seed")
    mirror = File("/etc/apt/sources.list", f"deb [trusted=yes] {address} ./\n", 0o644)
    disks = {"/var/lib/cloud/seed/nocloud": tmp_path / "seed"}
    with Server(image, files=[mirror], disks=disks, boot_config=None) as server:
        try:
            state = stack.wait("CREATE", patience=PATIENCE)
        finally:
            print(server.read("/var/log/cloud-init-output.log"))
        assert state == "COMPLETE", stack.reason
        assert stack.output("came") == f"{kind.program}\n"
        # Heat's part-handler has written a password.
        shell(server, "! runuser -u nobody -- cat /var/lib/cloud/data/cfn-init-data")
    stack.delete()
