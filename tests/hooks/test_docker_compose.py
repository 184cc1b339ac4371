# SPDX-License-Identifier: Apache-2.0
"""The group docker-compose: docker-compose on a docker daemon, podman-compose on podman."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from typing import Any

import pytest

from tests.support.containers import IMAGE, Engine
from tests.support.deployments import inputs
from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "docker-compose"
pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(params=["podman", "docker", "docker_with_plug_in"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


def service(**more: Any) -> dict[str, Any]:
    fixed = {"network_mode": "none", "stop_signal": "SIGKILL", "command": ["sleep", "600"]}
    return {"image": IMAGE, **fixed, **more}


def greeting(engine: Engine) -> str:
    (name,) = engine.names()
    lines = engine.run("exec", name, "env").splitlines()
    return next(line for line in lines if line.startswith("GREETING="))


def test_create_update_and_delete(create_stack: Create, server: HookServer, engine: Engine) -> None:
    template = example(GROUP)
    stack = create_stack(template, image=IMAGE, greeting="grüß Gott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert greeting(engine) == "GREETING=grüß Gott"

    stack.update(template, image=IMAGE, greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert greeting(engine) == "GREETING=again"

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert engine.names() == []


def test_a_project_that_fails(create_stack: Create, server: HookServer) -> None:
    stack = create_stack(example(GROUP), image="localhost:1/nonesuch:1")
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code" in stack.reason
    # The plug-in names the service and the registry, the others the image.
    assert "localhost:1/" in stack.output("stderr")


def test_what_vanished_is_brought_down_and_nothing_else(server: HookServer, engine: Engine) -> None:
    for name in ("One", "two"):
        answer, _ = server.hook({"web": service()}, id=name, name=name)
        assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    server.metadata({"id": "x", "name": "two", "group": GROUP, "config": {}})
    assert "bringing down One" in server.clean_up()
    (left,) = engine.names()
    assert left.startswith("two")
    assert [path.name for path in server.state.iterdir()] == ["two"]


def test_env_files_as_text_stay_in_the_project(server: HookServer, engine: Engine) -> None:
    files = """[{'file_name': './sub/a.env', 'content': 'GREETING=hunter22'}]"""
    given = inputs(env_files=files, deploy_password="hunter22")
    config = {"web": service(env_file="sub/a.env")}
    answer, log = server.hook(config, inputs=given)
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert greeting(engine) == "GREETING=hunter22"
    assert "hunter22" not in log
    path = server.state / "n1/sub/a.env"
    assert path.stat().st_mode & 0o777 == 0o600

    outside = [{"file_name": "../a.env", "content": "x"}]
    answer, _ = server.hook(config, inputs=inputs(env_files=outside))
    assert "'../a.env' cannot be a file below" in answer["deploy_stderr"]


def test_a_service_that_is_no_longer_in_the_file_goes(server: HookServer, engine: Engine) -> None:
    server.hook({"services": {"a": service(), "b": service()}})
    assert len(engine.names()) == 2
    server.hook({"services": {"b": service()}})
    (left,) = engine.names()
    assert "b" in left.removeprefix("n1")


def test_names_that_compose_takes_for_one_are_two_projects(
    server: HookServer, engine: Engine
) -> None:
    for name, services in (("web.1", ("a", "b")), ("Web1", ("a", "c")), ("web.1", ("a",))):
        answer, _ = server.hook({each: service() for each in services}, id=name, name=name)
        assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert len(engine.names()) == 3

    server.metadata({"id": "x", "name": "Web1", "group": GROUP, "config": {}})
    assert "bringing down web.1" in server.clean_up()
    assert sorted(re.split("[-_]", name)[-2] for name in engine.names()) == ["a", "c"]


def test_a_project_that_heat_agents_has_brought_up_keeps_its_containers(
    server: HookServer, engine: Engine
) -> None:
    folder = server.state / "My-app"
    folder.mkdir(parents=True)
    (folder / "docker-compose.yml").write_text(json.dumps({"services": {"web": service()}}))
    compose = shlex.split(engine.variables["HEAT_DOCKER_COMPOSE_CMD"] or "docker compose")
    variables = {**os.environ, **engine.variables}
    # As compose 1.4 calls it, which heat-agents pins.
    subprocess.run([*compose, "-p", "myapp", "up", "-d"], cwd=folder, env=variables, check=True)
    (before,) = engine.names()

    answer, _ = server.hook({"web": service()}, name="My-app")
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert engine.names() == [before]
    server.metadata()
    server.clean_up()
    assert engine.names() == []
