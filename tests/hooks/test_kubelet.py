# SPDX-License-Identifier: Apache-2.0
"""The group kubelet on podman."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.containers import IMAGE, Engine, pod
from tests.support.deployments import inputs
from tests.support.hook_server import HookServer, drive, example, without_deployment
from tests.support.stacks import Create

GROUP = "kubelet"


@pytest.fixture
def engine(podman: Engine) -> Engine:
    return podman


def pods(engine: Engine) -> list[str]:
    return sorted(engine.run("pod", "ps", "--format={{.Name}}").split())


def test_create_update_and_delete(create_stack: Create, server: HookServer, engine: Engine) -> None:
    template = example(GROUP)
    stack = create_stack(template, image=IMAGE, greeting="grüß\nGott")
    assert drive(stack, server) == "COMPLETE", stack.reason
    assert "GREETING=grüß\nGott\n" in engine.run("exec", "example-web", "env")

    stack.update(template, image=IMAGE, greeting="again")
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert "GREETING=again\n" in engine.run("exec", "example-web", "env")

    stack.update(without_deployment(template))
    assert drive(stack, server, "UPDATE") == "COMPLETE", stack.reason
    assert pods(engine) == []
    assert list(server.state.iterdir()) == []


def test_a_container_that_fails(create_stack: Create, server: HookServer) -> None:
    template = example(GROUP)
    spec = template["resources"]["config"]["properties"]["config"]["spec"]
    spec["containers"][1]["command"] = ["sh", "-c", "echo 'the disk is missing'; exit 3"]
    stack = create_stack(template, image=IMAGE)
    assert drive(stack, server) == "FAILED"
    assert "non-zero status code: 1" in stack.reason
    stderr = stack.output("stderr")
    assert "the container example-once is " in stderr
    assert "its last exit status is 3" in stderr
    assert "the disk is missing" in stderr


PODMAN_WITH_PATIENCE = """#!/bin/sh
podman "$@" || exit
[ "$2" != play ] || podman wait much-c > /dev/null
"""


def test_much_output_of_a_container_that_fails(server: HookServer, tmp_path: Path) -> None:
    program = tmp_path / "podman"
    program.write_text(PODMAN_WITH_PATIENCE)
    program.chmod(0o755)
    server.variables["HEAT_PODMAN_CMD"] = str(program)
    much = "echo hunter22; yes línea | head -c 5000000; echo; echo the end >&2; exit 3"
    given = inputs(deploy_password="hunter22")
    answer, log = server.hook(pod("much", ["sh", "-c", much]), inputs=given)
    assert answer["deploy_status_code"] == 1
    assert "its last exit status is 3" in answer["deploy_stderr"].splitlines()[0]
    assert answer["deploy_stderr"].rstrip().endswith("the end")
    assert len(answer["deploy_stderr"]) < 1000
    assert "hunter22" not in log


@pytest.mark.parametrize("policy", ["Never", "Always"])
def test_a_container_that_does_not_stay_up(server: HookServer, engine: Engine, policy: str) -> None:
    config = pod("p", ["sh", "-c", "sleep 0.4; echo so; exit 3"], restartPolicy=policy)
    answer, _ = server.hook(config, options={"containers_timeout": 10})
    assert answer["deploy_status_code"] == 1
    assert answer["deploy_stderr"].startswith("the container p-c is ")
    assert "\nso\n" in answer["deploy_stderr"]
    answer, _ = server.hook(pod("p", ["sleep", "600"]))
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]

    server.hook(config, options={"containers_timeout": 0})
    answer, _ = server.hook(config, inputs=inputs(deploy_action="DELETE"))
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert pods(engine) == []


def test_an_image_that_does_not_come(server: HookServer, engine: Engine) -> None:
    config = pod("p", ["true"])
    config["spec"]["containers"][0]["image"] = "localhost:1/nonesuch:1"
    options = {"images_timeout": 1, "poll_period": 0.2}
    answer, _ = server.hook(config, options=options)
    assert answer["deploy_status_code"] == 1
    expected = "the image localhost:1/nonesuch:1 is not there after 1 s (images_timeout)"
    assert expected in answer["deploy_stderr"]
    assert pods(engine) == []


def test_what_vanished_is_taken_down_and_nothing_else(server: HookServer, engine: Engine) -> None:
    for name in ("one", "two", "three"):
        answer, _ = server.hook(pod(name, ["sleep", "600"]), id=name)
        assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    engine.run("pod", "rm", "-f", "-t0", "three")  # by somebody else
    server.metadata({"id": "two", "group": GROUP, "config": {}})
    assert "taking down the pods of one" in server.clean_up()
    assert pods(engine) == ["two"]
    assert [path.name for path in server.state.iterdir()] == ["two.yaml"]


def test_delete_of_what_is_not_there_is_well(server: HookServer) -> None:
    config = pod("nonesuch", ["true"])
    answer, _ = server.hook(config, inputs=inputs(deploy_action="DELETE"))
    assert answer["deploy_status_code"] == 0


def test_the_kubelets_first_format(server: HookServer, engine: Engine) -> None:
    old = {"version": "v1beta2", "volumes": [], **pod("x", ["sleep", "600"])["spec"]}
    answer, _ = server.hook(old, name="20_Apache_deployment")
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert pods(engine) == ["20-apache-deployment"]


def test_several_documents_and_no_secret_in_the_log(server: HookServer, engine: Engine) -> None:
    text = yaml.safe_dump_all([pod("one", ["sleep", "600"]), pod("two", ["echo", "hunter22"])])
    answer, log = server.hook(text, inputs=inputs(deploy_password="hunter22"))
    assert answer["deploy_status_code"] == 0, answer["deploy_stderr"]
    assert pods(engine) == ["one", "two"]
    assert "hunter22" not in log
