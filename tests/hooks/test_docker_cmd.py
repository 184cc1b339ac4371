# SPDX-License-Identifier: Apache-2.0
"""The group docker-cmd on podman and on a docker daemon."""

from __future__ import annotations

import pytest

from tests.support.containers import IMAGE, Engine
from tests.support.deployments import inputs
from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "docker-cmd"
pytestmark = pytest.mark.usefixtures("engine")


def container(command: object, **more: object) -> dict[str, object]:
    return {"image": IMAGE, "net": "none", "command": command, **more}


def test_create_update_and_delete(create_stack: Create, server: HookServer, engine: Engine) -> None:
    template = example(GROUP)
    stack = create_stack(template, image=IMAGE, greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert "grüß\nGott\n" in stack.output("stdout")
    assert stack.output("status_code") == 0
    assert engine.names() == ["greeter", "service"]
    first = engine.run("inspect", "--format={{.Id}}", "service")

    stack.update(template, image=IMAGE, greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert "again\n" in stack.output("stdout")
    assert engine.names() == ["greeter", "service"]
    assert engine.run("inspect", "--format={{.Id}}", "service") != first

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert engine.names() == []


def test_a_container_that_fails(create_stack: Create, server: HookServer) -> None:
    template = example(GROUP)
    del template["resources"]["config"]["properties"]["config"]["check"]["exit_codes"]
    stack = create_stack(template, image=IMAGE)
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 3" in stack.reason
    failed = "the container 'check' (exec) ended with exit status 3\n"
    assert stack.output("stderr").startswith(failed)


def test_the_others_are_run_when_one_has_failed(server: HookServer) -> None:
    config = {
        "first": container("sh -c 'exit 4'", detach=False),
        "second": container("echo b", detach=False, start_order=1),
    }
    answer, _ = server.hook(config)
    assert answer["deploy_status_code"] == 4
    assert answer["deploy_stdout"] == "b\n"


def test_an_image_that_is_not_there(server: HookServer) -> None:
    answer, _ = server.hook({"first": {"image": "localhost:1/nonesuch:1", "command": "true"}})
    assert answer["deploy_status_code"] == 125
    assert "localhost:1/nonesuch" in answer["deploy_stderr"]


def test_what_vanished_is_removed_and_nothing_else(server: HookServer, engine: Engine) -> None:
    engine.run("run", "-d", "--name=foreign", "--net=none", IMAGE, "sleep", "600")
    server.hook({"first": container("sleep 600")})
    server.hook({"first": container("sleep 600")}, id="c2")
    assert len(engine.names()) == 3
    renamed = next(name for name in engine.names() if name.startswith("first-"))
    assert "c2" in engine.run("inspect", renamed)

    server.metadata({"id": "c2", "group": GROUP, "config": {}})
    assert "its config c1 is in the metadata no more" in server.clean_up()

    assert engine.names() == ["first", "foreign"]
    assert "c2" in engine.run("inspect", "first")


@pytest.mark.parametrize("text", ["", "{", "7"])
def test_metadata_that_says_nothing_removes_nothing(
    server: HookServer, engine: Engine, text: str
) -> None:
    server.hook({"first": container("sleep 600")})
    server.metadata()
    (server.root / "var/run/heat-config/heat-config").write_text(text)
    server.clean_up()
    assert engine.names() == ["first"]


def test_a_list_that_is_not_heats_removes_nothing(server: HookServer, engine: Engine) -> None:
    server.hook({"first": container("sleep 60")})
    server.metadata(source="heat_local")
    assert "nothing is removed: the list of deployments is heat_local's word" in server.clean_up()
    assert engine.names() == ["first"]


def test_delete_removes_the_deployments_own(server: HookServer, engine: Engine) -> None:
    for name in ("one", "other"):
        given = inputs(deploy_stack_id="s/1", deploy_resource_name=name)
        server.hook({name: container("sleep 600")}, id=name, inputs=given)
    given = inputs(deploy_stack_id="s/1", deploy_resource_name="one", deploy_action="DELETE")
    answer, _ = server.hook("", id="c3", inputs=given)
    assert answer["deploy_status_code"] == 0
    assert engine.names() == ["other"]


def test_an_environment_of_any_text(server: HookServer) -> None:
    """The last two would lead the client elsewhere."""
    show = container(["sh", "-c", 'printf "%s|" "$TEXT" "$HTTP_PROXY" "$HOME" >&2'], detach=False)
    show["environment"] = {"TEXT": 'a "b"\nü', "HTTP_PROXY": "http://u:p%25@h:1/", "HOME": "/a b"}
    answer, _ = server.hook({"show": show})
    assert answer["deploy_stderr"] == 'a "b"\nü|http://u:p%25@h:1/|/a b|'
