# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from heat_config import deployment
from heat_config import settings as heat_config_settings
from heat_config.result import Result
from heat_config.run import heat_agents, hook
from heat_config.run.scope import Scope
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script
from tests.support.overdue import LIMIT, Overdue


def put(folder: Path, name: str, text: str, mode: int = 0o755) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def run(tmp_path: Path, text: str, mode: int = 0o755, group: str = "mine") -> Result:
    put(tmp_path / "hooks", "mine", text, mode)
    item = script("the config", group=group)
    return run_with(deployment.read(item), tmp_path / "hooks")


def run_with(
    asked: deployment.Deployment, hooks: Path, on_line: Callable[[str], None] = print
) -> Result:
    settings = heat_config_settings.load({})._replace(hook_folders=(str(hooks),))
    return hook.run(asked, settings, on_line, Scope.new(asked.id))


def test_the_first_folder_that_has_the_hook_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    put(second, "a", "")
    path = put(first, "a", "")
    only = put(second, "b", "")
    folders = ["/nonexistent", str(first), str(second)]
    assert hook.find("a", folders) == path
    assert hook.find("b", folders) == only
    assert hook.find("c", folders) is None


def test_an_operators_own_hook_wins_over_the_packaged_one() -> None:
    folders = heat_config_settings.load({}).hook_folders
    assert folders == ("/var/lib/heat-config/hooks", "/usr/libexec/heat-config/hooks")


def test_a_hook_of_heat_agents_gives_way_to_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, ours = tmp_path / "old", tmp_path / "ours"
    text = "#!/usr/bin/env python3\nheat_agents = True\n"
    put(old, "a", text)
    put(old, "b", text + "# an operator's line\n")
    only = put(old, "c", text)
    for name in ("a", "b"):
        put(ours, name, "")
    known = frozenset({heat_agents.blob_id(text.encode())})
    monkeypatch.setattr(heat_agents, "_BLOBS", known)

    folders = [str(old), str(ours)]
    assert hook.find("a", folders) == ours / "a"
    assert hook.find("b", folders) == old / "b"
    assert hook.find("c", folders) == only


@pytest.mark.parametrize("group", ["../mine", "/m/i/n/e", "mi:ne", "Heat::mine", "m i n e"])
def test_a_groups_name_stays_in_the_folder(tmp_path: Path, group: str) -> None:
    put(tmp_path / "hooks", "mine", "")
    put(tmp_path / "hooks", "Heatmine", "")
    found = hook.find(group, [str(tmp_path / "hooks")])
    assert found is not None
    assert found.parent == tmp_path / "hooks"


@pytest.mark.parametrize("group", ["..", "/", "...", "::"])
def test_a_name_of_signs_alone_is_no_hook(tmp_path: Path, group: str) -> None:
    (tmp_path / "hooks").mkdir()
    assert hook.find(group, [str(tmp_path / "hooks")]) is None


def test_a_hook_gets_the_config_on_stdin(tmp_path: Path) -> None:
    result = run(tmp_path, "#!/bin/sh\ncat")
    assert result.outputs["config"] == "the config"


def test_a_hooks_log_is_handed_on_by_lines(tmp_path: Path) -> None:
    put(tmp_path / "hooks", "script", "#!/bin/sh\necho one >&2\necho two >&2\necho '{}'")
    lines: list[str] = []
    run_with(deployment.read(script("x")), tmp_path / "hooks", lines.append)
    assert "\n".join(lines).split("\n") == ["one", "two"]


@pytest.mark.parametrize(("asked", "given"), [({}, False), ({"credentials": True}, True)])
def test_a_hook_gets_credentials_only_if_its_config_asks(
    tmp_path: Path, asked: dict[str, Any], given: bool
) -> None:
    names = (
        *("deploy_password", "deploy_user_id", "deploy_signal_id", "deploy_progress_id"),
        *("deploy_action", "mine"),
    )
    item = script("x", inputs=[{"name": name, "value": "v"} for name in names], options=asked)
    put(tmp_path / "hooks", "script", "#!/bin/sh\ncat")
    result = run_with(deployment.read(item), tmp_path / "hooks")
    seen = {entry["name"] for entry in result.outputs["inputs"]}
    assert seen == (set(names) if given else {"deploy_action", "mine"})


def test_a_hook_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "hooks", "script", "#!/bin/sh\necho started\necho >&2\nsleep 300")
    item = script("x", options={"timeout": LIMIT})
    result = run_with(deployment.read(item), tmp_path / "hooks", Overdue(monkeypatch).at)
    assert (result.status_code, result.stdout) == (124, "started\n")
    assert f"time limit of {LIMIT:g} s" in result.stderr


@pytest.mark.parametrize("limit", ["soon", -1, [], "nan", "inf"])
def test_a_time_limit_that_is_none_is_named(tmp_path: Path, limit: object) -> None:
    put(tmp_path / "hooks", "script", "#!/bin/sh\necho '{}'")
    result = run_with(deployment.read(script("x", options={"timeout": limit})), tmp_path / "hooks")
    assert result.status_code == 1
    assert f"timeout is {limit!r}" in result.stderr


def test_a_group_without_a_hook_is_a_failure_that_names_the_groups_there_are(
    tmp_path: Path,
) -> None:
    result = run(tmp_path, "", group="yours")
    assert result.status_code == 127
    assert "no hook for group 'yours'" in result.stderr
    assert "there are hooks for mine" in result.stderr


def test_without_any_hook_it_says_so() -> None:
    result = run_with(deployment.read(script("x")), Path("/nonexistent"))
    assert "there are no hooks at all" in result.stderr


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("#!/bin/sh\n", 0o644, "chmod 0755"),
        ("#!/nonexistent/python\n", 0o755, "look at its first line"),
        ("no program", 0o755, "look at its first line"),
    ],
)
def test_a_hook_that_cannot_start_says_what_to_do(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    result = run(tmp_path, text, mode)
    assert result.status_code == 126
    assert said in result.stderr


def test_a_raw_hooks_stdout_is_in_the_log_as_it_comes(tmp_path: Path) -> None:
    lines: list[str] = []
    text = "#!/bin/sh\necho\necho one\necho '{\"a\": 1}'\necho two >&2\n"
    put(tmp_path / "hooks", "mine", text)
    item = deployment.read(script("x", group="mine"))
    result = run_with(item, tmp_path / "hooks", lines.append)
    assert sorted("\n".join(lines).split("\n")) == ["one", "two", '{"a": 1}']
    assert result.stdout == '\none\n{"a": 1}\n'


@pytest.mark.parametrize(
    ("stdout", "logged"),
    [
        ('{"deploy_stdout": "x"}', []),
        ('\n {"a":\n 1}\n', []),
        ('{"a"\n: broken}', ['{"a"', ": broken}"]),
        ('{"a": 1}\n{"b": 1}\n', ['{"a": 1}', '{"b": 1}']),
    ],
)
def test_an_answer_is_no_line_of_the_log(tmp_path: Path, stdout: str, logged: list[str]) -> None:
    lines: list[str] = []
    (tmp_path / "answer").write_text(stdout)
    put(tmp_path / "hooks", "mine", f"#!/bin/sh\ncat {tmp_path}/answer\n")
    run_with(deployment.read(script("x", group="mine")), tmp_path / "hooks", lines.append)
    assert "\n".join(lines).splitlines() == logged


@pytest.fixture
def exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """heat_config is not there before somebody has waited twice. For how long each time."""
    waits: list[float] = []
    (tmp_path / "site").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            (tmp_path / "site" / "heat_config").symlink_to(REPOSITORY / "heat_config")

    monkeypatch.setattr(hook, "time", SimpleNamespace(sleep=wait))
    return waits


def test_a_hook_is_begun_when_our_package_has_been_exchanged(
    tmp_path: Path, exchanged: list[float]
) -> None:
    text = f"#!{sys.executable}\nimport sys\nfrom heat_config import hookkit\nprint('{{}}')\n"
    assert run(tmp_path, text) == Result(0)
    assert exchanged == list(hook.WAITS[:2])


def test_a_hook_that_fails_at_another_import_is_not_started_again(
    tmp_path: Path, exchanged: list[float]
) -> None:
    """It may have begun."""
    begun = f"#!{sys.executable}\nimport sys\nprint('begun', file=sys.stderr)\n"
    for text in (f"#!{sys.executable}\nimport nonesuch\n", f"{begun}import heat_config\n"):
        result = run(tmp_path, text)
        assert result.status_code == 1
        assert "ModuleNotFoundError" in result.stderr
    assert exchanged == []


def test_a_package_that_stays_away_is_a_failure(
    tmp_path: Path, exchanged: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "WAITS", (0.1,))
    result = run(tmp_path, f"#!{sys.executable}\nimport heat_config\n")
    assert (result.status_code, exchanged) == (1, [0.1])
    assert "No module named 'heat_config'" in result.stderr
