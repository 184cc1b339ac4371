# SPDX-License-Identifier: Apache-2.0
"""What every hook answers before its tool is run: it is missing, or the config cannot be meant."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heat_config import hookkit
from heat_config.hookkit import containers
from heat_config.hookkit.containers import compose
from heat_config.result import Result, failure
from heat_config.settings import SECRETS_VARIABLE
from hooks import programs
from tests.support.checkout import REPOSITORY

HOOKS = sorted(programs())
# Those that need no program but their own.
WITHOUT_TOOL = ("hiera", "json-file")


def module_of(group: str) -> Any:
    return importlib.import_module(f"hooks.{programs()[group].stem}")


def tool_of(group: str) -> hookkit.Tool:
    """What a hook declares that it needs."""
    elsewhere = {"docker-cmd": containers.ENGINE, "docker-compose": compose.TOOL}
    tool: hookkit.Tool = elsewhere.get(group) or module_of(group).TOOL
    return tool


TOOLS = {group: tool_of(group) for group in HOOKS if group not in (*WITHOUT_TOOL, "script")}


@pytest.fixture(autouse=True)
def server_without_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv(SECRETS_VARIABLE, str(tmp_path))
    names = ["KUBELET_MANIFESTS", "CFN_INIT_LAST_METADATA_DIR", "PUPPET_HIERA_DATADIR"]
    for group in HOOKS:
        prefix = group.upper().replace("-", "_")
        names += [f"{prefix}_WORKING", f"{prefix}_OUTPUTS"]
    for name in names:
        monkeypatch.setenv(f"HEAT_{name}", str(tmp_path / name))


def run(group: str, config: Any, *, tool: str = "", **more: Any) -> dict[str, Any]:
    """What the hook answers, or says instead of running its tool."""
    item = {"id": "c1", "name": "n", "group": group, "config": config, **more}
    with pytest.MonkeyPatch.context() as patch:
        if tool and group in TOOLS:
            patch.setenv(TOOLS[group].variable, tool)
        try:
            result: Result = module_of(group).run(hookkit.read_config(json.dumps(item).encode()))
        except hookkit.HookError as error:
            result = failure(f"{error}\n", error.status_code)
    return result.as_dict()


@pytest.mark.parametrize("group", HOOKS)
def test_a_server_has_a_program_of_each_groups_name(group: str, hooks: Path) -> None:
    program = hooks / group
    assert f"The group ``{group}``" in str(module_of(group).__doc__)
    assert program.read_text().startswith("#!/usr/bin/env python3\n")
    done = subprocess.run(
        [program],
        input="{}",
        text=True,
        capture_output=True,
        check=True,
        env={"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(REPOSITORY)},
    )
    assert json.loads(done.stdout)["deploy_stderr"] == "the deployment has no id\n"


@pytest.mark.parametrize("group", TOOLS)
def test_a_missing_tool_names_the_package(group: str) -> None:
    answer = run(group, "")
    assert answer["deploy_status_code"] == 127
    names = " or ".join(TOOLS[group].names)
    package = TOOLS[group].package
    expected = f"{names} is not on this server: install the package {package}\n"
    assert answer["deploy_stderr"] == expected

    named = run(group, "", tool="/nonexistent/tool")
    assert named["deploy_status_code"] == 127
    assert named["deploy_stderr"].startswith("/nonexistent/tool is not on this server")


NO_MAP = {
    "list": (["a"], "the config is a list, not a map"),
    "number": (7, "the config is a number, not a map"),
    "yaml-list": ("- a\n", "the config is a list, not a map"),
    "yaml": ("a: [", "the config is not valid YAML: "),
}
NO_TEXT = "the config is not a string; give it with get_file or str_replace"
NO_RUN_LIST = {
    "map": ({"a": "b"}, "the config is a map, not a list of recipes and roles"),
    "text": ("recipe[a]", "the config is a string, not a list of recipes and roles"),
    "broken": ('["recipe[a]"', "the config is not valid YAML: "),
    "numbers": ([1], "not a list of recipes and roles"),
}
# Text of ansible and salt is for their own parsers: tests/hooks has what these say.
BAD = {
    **{
        f"{group}-{name}": (group, *each)
        for group in ("cfn-init", "docker-cmd", "docker-compose", "hiera", "json-file", "kubelet")
        for name, each in NO_MAP.items()
    },
    **{
        f"{group}-{name}": (group, *NO_MAP[name])
        for group in ("ansible", "salt")
        for name in ("list", "number")
    },
    **{
        f"{group}-{name}": (group, config, NO_TEXT)
        for group in ("puppet", "script")
        for name, config in (("list", ["a"]), ("map", {"a": 1}))
    },
    **{f"chef-{name}": ("chef", *each) for name, each in NO_RUN_LIST.items()},
}


def test_no_hook_is_left_out() -> None:
    # apply-config takes nothing from its config.
    assert {*(group for group, _, _ in BAD.values()), "apply-config"} == set(HOOKS)


@pytest.mark.parametrize("case", BAD)
def test_a_config_that_cannot_be_meant_is_named(case: str) -> None:
    group, config, reason = BAD[case]
    answer = run(group, config, tool="/bin/true")
    assert answer["deploy_status_code"] == 1
    assert reason in answer["deploy_stderr"]


@pytest.mark.parametrize(
    ("group", "config", "reason"),
    [
        ("ansible", {"a.yml": "[]"}, "there is no playbook in the config: no site.yml or "),
        ("ansible", {"site.yml": "[]", "../a.yml": "[]"}, "'../a.yml' cannot be a file below"),
        ("hiera", {"datafiles": ["a"]}, "'datafiles' is a list, not a map"),
        ("hiera", {"datafiles": {"../a": {}}}, "cannot be a file below"),
        ("hiera", {"hierarchy": 3}, "'hierarchy' is a number, not a list"),
        ("json-file", {"relative": 1}, "'relative' is not the absolute path of a file"),
        ("kubelet", {"kind": "Pod"}, "it has no containers"),
        ("kubelet", {"spec": {"containers": ["x"]}}, "no list of maps with an image"),
        ("kubelet", {"spec": []}, "it has no containers"),
    ],
)
def test_a_part_of_a_config_is_named(group: str, config: Any, reason: str) -> None:
    answer = run(group, config, tool="/bin/true")
    assert answer["deploy_status_code"] == 1
    assert reason in answer["deploy_stderr"]


@pytest.mark.parametrize(
    ("group", "config", "options", "reason"),
    [
        ("ansible", "[]", {"verbosity": "much"}, "option verbosity is 'much', not a number"),
        ("ansible", "[]", {"tags": 7}, "option tags is a number, not a list"),
        ("puppet", "", {"enable_hiera": "perhaps"}, "option enable_hiera is 'perhaps', not true"),
        ("script", "", {"interpreter": "/no/python"}, "interpreter '/no/python' is not on this"),
        ("script", "", {"interpreter": "sh 'x"}, "option interpreter cannot be split into words"),
        ("script", "", {"cwd": "/no/folder"}, "option cwd is '/no/folder', not a folder"),
        ("script", "", {"cwd": 7}, "option cwd is 7, not a folder"),
        (
            "kubelet",
            {"containers": [{"image": "i"}]},
            {"images_timeout": "x"},
            "option images_timeout is 'x', not a number",
        ),
    ],
)
def test_an_option_that_cannot_be_meant_is_named(
    group: str, config: Any, options: dict[str, Any], reason: str
) -> None:
    answer = run(group, config, tool="/bin/true", options=options)
    assert answer["deploy_status_code"] != 0
    assert reason in answer["deploy_stderr"]


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (["image"], "the container 'a' is a list, not a map"),
        ("image", "the container 'a' is a string, not a map"),
        ({}, "the container 'a' has no 'image'"),
        ({"image": "i", "action": "stop"}, "the action 'stop' is neither 'run' nor 'exec'"),
        ({"image": "i", "start_order": "1"}, "'start_order' is a string, not a number"),
        ({"image": "i", "exit_codes": ["0"]}, "'exit_codes' is not a list of numbers"),
        ({"image": "i", "volumes": 7}, "volumes is a number, not a list"),
        ({"image": "i", "command": "sh 'x"}, "cannot be split into words"),
        ({"action": "exec"}, "'command' must name a container and a command"),
    ],
)
def test_a_container_that_cannot_be_run(container: Any, reason: str) -> None:
    assert reason in run("docker-cmd", {"a": container}, tool="/bin/true")["deploy_stderr"]


@pytest.mark.parametrize("config", ["", {}])
@pytest.mark.parametrize("group", ["ansible", "docker-cmd", "docker-compose"])
def test_an_empty_config_is_nothing_to_do(group: str, config: Any) -> None:
    """As it has always been with these groups; and their tools would fail."""
    assert run(group, config, tool="/bin/false")["deploy_status_code"] == 0


@pytest.mark.parametrize("files", ["nonsense(", 7, [{"content": "x"}], ["x"]])
def test_env_files_that_are_none(files: Any) -> None:
    given = [{"name": "env_files", "value": files}]
    answer = run("docker-compose", {"a": {}}, tool="/bin/true", inputs=given)
    assert "the input 'env_files' is not a list of maps" in answer["deploy_stderr"]


def test_a_projects_name_that_leads_elsewhere() -> None:
    answer = run("docker-compose", {"a": {}}, tool="/bin/true", name="../up")
    assert "the deployment's name '../up' cannot be a folder's" in answer["deploy_stderr"]


@pytest.fixture
def vanished(tmp_path: Path) -> dict[str, str]:
    """A server's variables: of each group it has something that is in the metadata no more."""
    metadata, project, manifests = (tmp_path / name for name in ("metadata", "p", "manifests"))
    metadata.write_text("[]")
    source = tmp_path / "zaqar.json"
    source.write_text('{"deployments": []}')
    for path in (project / "gone/docker-compose.yml", manifests / "gone.yaml"):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    return {
        "PATH": "/nonexistent",
        "PYTHONPATH": str(REPOSITORY),
        "HEAT_SHELL_CONFIG": str(metadata),
        "OS_CONFIG_FILES": str(source),
        "HEAT_DOCKER_COMPOSE_WORKING": str(project),
        "HEAT_KUBELET_MANIFESTS": str(manifests),
    }


@pytest.mark.parametrize("group", ["docker-cmd", "docker-compose", "kubelet"])
def test_without_its_tool_the_clean_up_says_so_and_stops_nothing(
    group: str, hooks: Path, vanished: dict[str, str]
) -> None:
    completed = subprocess.run(
        [sys.executable, hooks / group, "--remove-vanished"],
        text=True,
        capture_output=True,
        check=False,
        env=vanished,
    )
    assert completed.returncode == 0
    assert f"install the package {TOOLS[group].package}" in completed.stderr.splitlines()[-1]
    assert "Traceback" not in completed.stderr


@pytest.mark.parametrize(
    ("group", "variable"),
    [
        ("hiera", "HEAT_HIERA_ELEMENT_CHECK_CMD"),
        ("kubelet", "DOCKER_HOST"),
        ("puppet", "HEAT_PUPPET_LOGDIR"),
    ],
)
def test_a_variable_of_heat_agents_that_does_nothing_is_named(
    group: str,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run(group, {})
    assert variable not in capfd.readouterr().err
    monkeypatch.setenv(variable, "something")
    run(group, {})
    assert f"{variable} is set and not used: " in capfd.readouterr().err
