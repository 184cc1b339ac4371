# SPDX-License-Identifier: Apache-2.0
"""One control plane for the tests of the hooks, and each group's real tool."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.mirrors import mirrors
from lab.stack import Heat, Stack
from tests.support import containers
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.containers import Engine
from tests.support.hook_server import HookServer, MakeServer, known_to_nova
from tests.support.stacks import Create, heat, lab
from tests.support.stacks import create_stack as create_unknown_stack

__all__ = ["create_unknown_stack", "heat", "lab"]

STAND_IN_FOR_CHEF = Path(__file__).with_name("stand_in_chef_client.py")

# heat-cfntools has fixed paths: it sees folders of the test's own there.
IN_PRIVATE = """#!/bin/sh
exec unshare --mount sh -ec '
mount --bind "$1/cache" /var/cache
mount --bind "$1/log" /var/log
exec "$2"' sh {folder} {program}
"""


@pytest.fixture
def create_stack(
    create_unknown_stack: Create,
    lab: Lab,
    heat: Heat,
) -> Iterator[Create]:
    """Create a stack whose server is known to Nova until the test has ended."""
    with ExitStack() as known:

        def create(template: dict[str, Any], **parameters: Any) -> Stack:
            stack = create_unknown_stack(template, **parameters)
            known.enter_context(known_to_nova(lab, heat, stack))
            return stack

        yield create


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with containers.podman(tmp_path_factory.mktemp("podman") / "e") as running:
        yield running


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with containers.docker(tmp_path_factory.mktemp("docker") / "e") as running:
        yield running


@pytest.fixture(scope="session")
def docker_with_plug_in(docker: Engine, compose_plug_in: Path) -> Engine:
    """The same docker, with the compose that is a plug-in of it, which the hook finds itself."""
    variables = {"DOCKER_CONFIG": str(compose_plug_in), "HEAT_DOCKER_COMPOSE_CMD": ""}
    return Engine("docker", {**docker.variables, **variables})


@pytest.fixture(scope="session")
def compose_plug_in() -> Path:
    """A configuration of docker with the plug-in in it, from Debian 13: Debian 12 has none."""
    folder = REPOSITORY / ".cache/compose-plug-in"
    plug_in = folder / "cli-plugins/docker-compose"
    if not plug_in.exists():
        mirror = mirrors()["DIB_DISTRIBUTION_MIRROR"]
        for each in ("cli-plugins", "lists/partial", "archives/partial"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        (folder / "sources").write_text(f"deb {mirror} trixie main\n")
        apt = ["apt-get", "-qq", f"-oDir::Etc::SourceList={folder}/sources"]
        apt += ["-oDir::Etc::SourceParts=-", f"-oDir::State::Lists={folder}/lists"]
        apt += [f"-oDir::Cache={folder}", "-oAPT::Sandbox::User=root"]
        subprocess.run([*apt, "update"], check=True)
        subprocess.run([*apt, "download", "docker-compose"], cwd=folder, check=True)
        (package,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
        (folder / "root/usr/libexec/docker/cli-plugins/docker-compose").rename(plug_in)
    return folder


@pytest.fixture(params=["podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn, for the tests that ask for it; a module may take fewer."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def make_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeServer]:
    """A server with one group's hook and its tool; on an engine where the test has one."""
    engines: list[Engine] = []

    def make(group: str) -> HookServer:
        variables = {}
        if group in ON_ENGINES:
            chosen = "engine" if "engine" in request.fixturenames else "podman"
            engines.append(request.getfixturevalue(chosen))
            variables = engines[-1].variables
        if group in VARIABLES:
            variables = {**variables, **request.getfixturevalue(VARIABLES[group])}
        return HookServer(tmp_path / "server", group, variables)

    yield make
    for engine in engines:
        engine.clear()


ON_ENGINES = ("docker-cmd", "docker-compose", "kubelet")
# The fixtures that give a group's variables.
VARIABLES = {"cfn-init": "cfn_init", "chef": "chef", "salt": "salt"}


@pytest.fixture
def server(request: pytest.FixtureRequest, make_server: MakeServer) -> HookServer:
    """A server of the test module's own group."""
    return make_server(request.module.GROUP)


@pytest.fixture(scope="session")
def salt_call() -> Path:
    """Salt in an environment of its own, with what the element installs."""
    folder, complete = REPOSITORY / ".cache/venv-salt", REPOSITORY / ".cache/venv-salt/made-from"
    pins = ELEMENTS / "heat-config-salt/heat-config-tools/salt"
    lists = [pins / "requirements.txt", pins / "sources.txt"]
    wanted = "".join(path.read_text() for path in lists)
    if not complete.exists() or complete.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin/pip"), "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, *(f"--requirement={path}" for path in lists)], check=True)
        complete.write_text(wanted)
    return folder / "bin/salt-call"


@pytest.fixture
def salt(salt_call: Path, tmp_path: Path) -> dict[str, str]:
    minion = tmp_path / "minion/minion"
    minion.parent.mkdir()
    minion.write_text(f"root_dir: {tmp_path}/minion\nfile_client: local\n")
    return {"HEAT_SALT_CMD": str(salt_call), "SALT_MINION_CONFIG": str(minion)}


@pytest.fixture
def cfn_init(tmp_path: Path) -> dict[str, str]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder = tmp_path / "private"
    for name in ("cache", "log"):
        (folder / name).mkdir(parents=True)
    program = folder / "cfn-init"
    real = shutil.which("cfn-init")
    assert real, "heat-cfntools is not installed"
    program.write_text(IN_PRIVATE.format(folder=folder, program=real))
    program.chmod(0o755)
    return {
        "HEAT_CFN_INIT_CMD": str(program),
        "HEAT_CFN_INIT_LAST_METADATA_DIR": str(folder / "cache/heat-cfntools"),
        "HEAT_CFN_INIT_LOG": str(folder / "log/cfn-init.log"),
    }


@pytest.fixture
def chef() -> dict[str, str]:
    return {"HEAT_CHEF_CMD": str(STAND_IN_FOR_CHEF)}
