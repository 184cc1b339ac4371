# SPDX-License-Identifier: Apache-2.0
"""The hooks in images that are built with their elements, on the tools that these install."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from heatclient import exc

from lab import Lab, user_data
from lab.image import build_tar, unpack
from lab.server import File, Server
from lab.stack import Heat, Stack, wait_for
from tests.support import versions
from tests.support.containers import IMAGE, Engine
from tests.support.hook_server import example, known_to_nova, without_deployment

# Of each release: its groups. heat-cfntools does not work with trixie's Python.
GROUPS = {
    "bookworm": ("ansible", "puppet", "docker-cmd", "kubelet", "salt", "cfn-init"),
    "trixie": ("ansible", "puppet", "docker-cmd", "kubelet", "salt"),
}

# What the template's author has for cloud-init, beside what Heat has for it: a part of its
# settings, and a script in a message of several parts.
USER_DATA: dict[str, Any] = {
    "settings": {
        "type": "OS::Heat::CloudConfig",
        "properties": {
            "cloud_config": {"write_files": [{"path": "/srv/settings", "content": "written"}]}
        },
    },
    "at_boot": {
        "type": "OS::Heat::SoftwareConfig",
        "properties": {"config": "#!/bin/sh\necho run > /srv/at-boot\n"},
    },
    "inner": {
        "type": "OS::Heat::MultipartMime",
        "properties": {"parts": [{"config": {"get_resource": "at_boot"}}]},
    },
    "user_data": {
        "type": "OS::Heat::MultipartMime",
        "properties": {
            "parts": [
                {"config": {"get_resource": "settings"}},
                {"config": {"get_resource": "inner"}, "type": "multipart"},
            ]
        },
    },
}

# Seconds for all groups' deployments, which Heat itself gives them, on a server that boots.
PATIENCE = 300.0

# What podman cannot do in a container on a machine that is one itself: limits, keyrings, groups.
CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
keyring = false
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE_CONF = """[storage]
driver = "vfs"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
"""
# A container's groups are read-only here.
PREPARE = """#!/bin/sh
set -eu
for group in $(findmnt -rno TARGET -t cgroup,cgroup2); do
    mount -o remount,bind,rw "$group"
done
"""


@pytest.fixture(scope="module", params=GROUPS)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def root(release: str, podman: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image with the one container image in it: no registry can be reached."""
    archive = tmp_path_factory.mktemp("archive") / "images.tar"
    podman.run("save", "--output", archive, IMAGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEAT_DOCKER_IMAGE_ARCHIVE", str(archive))
        elements = [f"heat-config-{group}" for group in GROUPS[release]]
        return unpack(build_tar(release, ["cloud-init", *elements]))


def machine(root: Path, text: str, folder: Path) -> Server:
    """A server that is given this user data as Nova gives them."""
    files = [
        File("/etc/containers/containers.conf", CONTAINERS_CONF, 0o644),
        File("/etc/containers/storage.conf", STORAGE_CONF, 0o644),
    ]
    return Server(root, files=files, disks=user_data.lay_ready(text, folder))


def everything(groups: tuple[str, ...]) -> dict[str, Any]:
    """The examples of these groups on one server, one after the other."""
    prepare = example("script")
    prepare["resources"]["config"]["properties"] |= {"config": PREPARE, "inputs": []}
    del prepare["resources"]["deployment"]["properties"]["input_values"]
    made = {**without_deployment(prepare), "parameters": {"greeting": {"type": "string"}}}
    add(made, "prepare", prepare)
    after = "prepare"
    for group in groups:
        template = filled(example(group), {"path": f"/srv/{group}", "image": IMAGE})
        properties = template["resources"]["config"]["properties"]
        if group == "puppet":
            properties["options"] = {"enable_debug": True, "enable_verbose": True}
        if group == "docker-cmd":
            # In a container podman cannot set up a network, not even an empty one.
            for name in ("service", "greeter"):
                properties["config"][name]["net"] = "host"
        add(made, group, template)
        made["resources"][group]["depends_on"] = after
        after = group
    made["resources"] |= USER_DATA
    made["outputs"]["user_data"] = {"value": {"get_resource": "user_data"}}
    return made


def add(made: dict[str, Any], name: str, template: dict[str, Any]) -> None:
    """Add an example's deployment, by a name of its own."""
    made["resources"][f"{name}_config"] = template["resources"]["config"]
    made["resources"][name] = template["resources"]["deployment"]
    made["resources"][name]["properties"]["config"] = {"get_resource": f"{name}_config"}


def filled(data: Any, values: dict[str, str]) -> Any:
    """A template with the values of some parameters in their place."""
    if isinstance(data, dict):
        if set(data) == {"get_param"} and data["get_param"] in values:
            return values[data["get_param"]]
        return {key: filled(part, values) for key, part in data.items()}
    if isinstance(data, list):
        return [filled(part, values) for part in data]
    return data


@pytest.fixture
def stack(lab: Lab, heat: Heat, release: str) -> Iterator[Stack]:
    name = f"test-hooks-{release}"
    created = heat.create(name, everything(GROUPS[release]), greeting="grüß\nGott")
    with known_to_nova(lab, heat, created):
        yield created
    heat.delete(name)


def test_create_update_and_delete(
    stack: Stack, heat: Heat, release: str, root: Path, tmp_path: Path
) -> None:
    os_collect_config = stack.wait_for_server()
    written = wait_for("the author's user data", lambda: authors(heat, stack))
    text = user_data.from_heat(os_collect_config, written)
    with machine(root, text, tmp_path / "seed") as server:
        ends_well(stack, server, "CREATE")
        server.wait_for(lambda it: it.read("/srv/at-boot") == "run\n", what="the author's script")
        assert server.read("/srv/settings") == "written"
        first = "/var/lib/heat-cfntools/cfn-init-data"
        assert said(server, f"stat -c %a {first}") == "600"
        assert greetings(server) == ["grüß\nGott"] * 3
        assert server.run(["podman", "ps", "--format={{.Names}}"]).stdout.count("service") == 1
        assert "GREETING=grüß\nGott" in server.run(["podman", "exec", "example-web", "env"]).stdout
        logs = server.run(["ls", "/var/log/puppet"]).stdout.split()
        assert logs == ["heat-debug.log", "heat-verbose.log"]
        for group, command in versions.COMMANDS.items():
            assert versions.is_named(group, said(server, command)), group

        stack.update(everything(GROUPS[release]), greeting="again")
        ends_well(stack, server, "UPDATE")
        assert greetings(server) == ["again"] * 3

        stack.delete()
        assert not {"ansible", "puppet", "salt"} & set(said(server, "ls /srv").split())
        server.wait_for(
            lambda it: not said(it, "podman ps -aq"), what="the end of the containers", timeout=60
        )


def authors(heat: Heat, stack: Stack) -> str:
    """The author's user data; nothing before Heat has made them."""
    try:
        return str(heat.api.software_configs.get(stack.output("user_data")).config)
    except exc.HTTPException:
        return ""


def ends_well(stack: Stack, server: Server, action: str) -> None:
    if action == "UPDATE":
        wait_for("the update", lambda: stack.state == "UPDATE_IN_PROGRESS")
    ended = stack.wait(action, patience=PATIENCE)
    assert ended == "COMPLETE", stack.reason + server.journal("os-collect-config")


def greetings(server: Server) -> list[str]:
    groups = ("ansible", "puppet", "salt")
    return [server.read(f"/srv/{group}").rstrip("\n") for group in groups]


def said(server: Server, command: str) -> str:
    return server.run(["sh", "-c", command]).stdout.strip()
