# SPDX-License-Identifier: Apache-2.0
"""No value that a template gives is on a command line, and none is left behind on a disk.

Each hook runs as a process, as under the agent, with a tool that notes its arguments.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from heat_config import hookkit
from heat_config.hookkit import HookError, read_config
from heat_config.hookkit.containers import environment
from heat_config.run import loop, scope
from heat_config.settings import KEPT_VARIABLE, SECRETS_VARIABLE, Settings
from hooks import ansible, chef, programs
from tests.support.checkout import REPOSITORY
from tests.support.deployments import inputs, script
from tests.support.overdue import LIMIT, Overdue
from tests.support.serving import serving

SECRET = "pl4nted-s3cret"
KITCHEN = f"https://user:{SECRET}@git.example/kitchen"

# It notes its arguments, its environment and the files that they name, and has no container.
TOOL = """#!/bin/sh
tr '\\0' ' ' < /proc/$$/cmdline >> "$NOTED/arguments"
tr '\\0' '\\n' < /proc/$$/environ >> "$NOTED/given"
for word; do
    path=${word#*=}; path=${path#@}
    case $path in /*) grep -rs "" "$path" >> "$NOTED/given" ;; esac
done
case "$1 $2" in
"container inspect") exit 1 ;;
"clone "*) for folder; do :; done; mkdir "$folder" ;;
esac
exit 0
"""


class Case(NamedTuple):
    """A config with the secret wherever one belongs, and whether the tool is given it."""

    config: Any
    options: Mapping[str, Any] = MappingProxyType({})
    is_given: bool = True
    """Else the tool finds it at a fixed path."""


COMPOSE = {"services": {"web": {"image": "i", "environment": {"PASSWORD": SECRET}}}}
DOCKER = {
    "map": {"image": "i", "environment": {"PASSWORD": SECRET, "HOME": SECRET, "EMPTY": ""}},
    "list": {"image": "i", "environment": [f"PASSWORD={SECRET}", f"HTTPS_PROXY=http://{SECRET}"]},
}
POD = {"containers": [{"image": "i", "env": [{"name": "PASSWORD", "value": SECRET}]}]}
CASES = {
    "ansible": Case(f"# {SECRET}"),
    "apply-config": Case("", is_given=False),
    "cfn-init": Case({"config": {"commands": {"a": {"command": SECRET}}}}, is_given=False),
    "chef": Case(["recipe[a]"], {"kitchen": KITCHEN}),
    "docker-cmd": Case(DOCKER),
    "docker-compose": Case(COMPOSE),
    "hiera": Case({"datafiles": {"a": {"password": SECRET}}}, is_given=False),
    "json-file": Case({}, is_given=False),
    "kubelet": Case(POD),
    "puppet": Case(f"# {SECRET}"),
    "salt": Case({"a": {"test.nop": [{"name": SECRET}]}}),
    "script": Case(TOOL),
}
VARIABLES = ("DOCKER", "DOCKER_COMPOSE", "PODMAN", "CHEF", "GIT", "ANSIBLE", "PUPPET", "SALT")
FOLDERS = ("KUBELET_MANIFESTS", "CFN_INIT_LAST_METADATA_DIR", "PUPPET_HIERA_DATADIR")


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    folder = tmp_path / "noted"
    folder.mkdir()
    for name in ("arguments", "given"):
        (folder / name).touch()
    return folder


@pytest.fixture
def variables(tmp_path: Path, noted: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A server's variables: every tool is the one that notes."""
    monkeypatch.delenv(SECRETS_VARIABLE, raising=False)
    tool = tmp_path / "tool"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    found = {"PYTHONPATH": str(REPOSITORY), "NOTED": str(noted), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    for name in (*VARIABLES, "APPLY_CONFIG", "CFN_INIT"):
        found[f"HEAT_{name}_CMD"] = str(tool)
    for name in (*FOLDERS, "DOCKER_COMPOSE_WORKING"):
        found[f"HEAT_{name}"] = str(tmp_path / name)
    for group in ("ANSIBLE", "CHEF", "PUPPET", "SALT", "SCRIPT"):
        for kind in ("WORKING", "OUTPUTS"):
            found[f"HEAT_{group}_{kind}"] = str(tmp_path / f"{group}_{kind}")
    return {**os.environ, **found, "HEAT_HIERA_CONFIG": str(tmp_path / "hiera.yaml")}


def item(group: str) -> dict[str, Any]:
    case = CASES[group]
    env_files = [{"file_name": "a.env", "content": f"PASSWORD={SECRET}"}]
    given = inputs(password=SECRET, env_files=env_files)
    return script("", group=group, config=case.config, options=dict(case.options), inputs=given)


def test_no_hook_is_left_out() -> None:
    assert set(CASES) == set(programs())


@pytest.mark.parametrize("group", CASES)
def test_no_value_is_on_a_command_line(
    group: str, variables: dict[str, str], noted: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, programs()[group]],
        input=json.dumps(item(group)),
        text=True,
        capture_output=True,
        env=variables,
        check=True,
    )
    assert json.loads(done.stdout)["deploy_status_code"] == 0, done.stdout
    assert SECRET not in (noted / "arguments").read_text()
    if CASES[group].is_given:
        assert SECRET in (noted / "given").read_text()
    assert list((tmp_path / "tmp").iterdir()) == []


def calls(noted: Path) -> list[str]:
    return [each for each in (noted / "arguments").read_text().split("/bin/sh ") if each]


@pytest.mark.parametrize("group", [group for group, case in CASES.items() if case.is_given])
def test_what_is_kept_runs_the_tool_again_as_the_hook_did(
    group: str, variables: dict[str, str], noted: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    subprocess.run(
        [sys.executable, programs()[group]],
        input=json.dumps(item(group)),
        text=True,
        env={**variables, SECRETS_VARIABLE: str(kept), KEPT_VARIABLE: "1"},
        check=True,
    )
    before = calls(noted)
    for path in noted.iterdir():
        path.write_text("")
    subprocess.run(["sh", kept / "run.sh"], env=variables, check=True)
    again = calls(noted)
    assert again
    assert [each for each in again if each not in before] == []
    assert SECRET in (noted / "given").read_text()
    assert {path.stat().st_mode & 0o077 for path in kept.rglob("*")} == {0}


def test_a_variable_that_no_shell_can_set_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRETS_VARIABLE, str(tmp_path))
    monkeypatch.setenv(KEPT_VARIABLE, "1")
    hookkit.run(["true"], env={**os.environ, "a-b\nid": "c", "d": "it's"})
    lines = (tmp_path / "run.sh").read_text().splitlines()
    assert lines[2:] == [
        "(",
        "# not set, because no shell can: 'a-b\\nid'",
        """export d='it'"'"'s'""",
        "exec true",
        ")",
    ]


def test_the_inputs_that_heat_agents_has_left_are_removed(variables: dict[str, str]) -> None:
    left = Path(variables["HEAT_ANSIBLE_WORKING"], "x_variables.json")
    left.parent.mkdir()
    left.write_text(SECRET)
    hook = [sys.executable, str(programs()["ansible"])]
    subprocess.run(hook, input=json.dumps(item("ansible")), text=True, env=variables, check=True)
    assert not left.exists()


def run_as_agent(settings: Settings, *items: dict[str, Any]) -> subprocess.Popen[bytes]:
    Path(settings.config_file).write_text(json.dumps(items))
    program = "import sys; from heat_config import cli; sys.exit(cli.main(['run']))"
    return subprocess.Popen([sys.executable, "-c", program], env={**os.environ})


def wait_until_there(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# It ignores the signal that asks it to end, as its hook does.
STUBBORN = """#!/bin/sh
trap '' TERM
echo secret > "$HEAT_CONFIG_SECRETS/file"
touch "$STARTED"
echo started
sleep 600
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("STARTED", str(tmp_path / "started"))
    return tmp_path / "started"


def test_a_hook_that_is_killed_leaves_no_secrets(
    settings: Settings, started: Path, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr("heat_config.process.GRACE", 0.1)
    Path(settings.config_file).write_text(
        json.dumps([script(STUBBORN, options={"timeout": LIMIT})])
    )
    Overdue(monkeypatch, started.exists)
    loop.run(settings)
    assert started.exists()
    assert answer("c1")["deploy_status_code"] == 124
    assert list(Path(settings.secrets).iterdir()) == []


def test_what_an_agent_that_is_killed_leaves_is_swept(settings: Settings, started: Path) -> None:
    """But not before what it had started has ended."""
    agent = run_as_agent(settings, script(STUBBORN))
    wait_until_there(started)
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    (folder,) = Path(settings.secrets).iterdir()
    assert (folder / "file").exists()
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700

    assert run_as_agent(settings, script("true", config_id="c2")).wait() == 0
    assert folder.exists()
    assert scope.Scope.of_mark(folder.name).end(0)
    assert run_as_agent(settings, script("true", config_id="c3")).wait() == 0
    assert list(Path(settings.secrets).iterdir()) == []


def test_an_operator_keeps_what_one_run_was_given(
    settings: Settings,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    playbooks = [
        {**item("ansible"), "id": config_id, "inputs": inputs(password=SECRET)}
        for config_id in ("c1", "c2")
    ]
    Path(settings.config_file).write_text(json.dumps(playbooks))
    assert loop.run(settings) == 0
    kept = Path(settings.kept)
    assert not kept.exists()
    for _ in range(2):
        assert loop.run(settings._replace(keep_of="c1"), force="c1") == 0
    assert sorted(path.name for path in kept.rglob("*")) == ["c1", "run.sh", "variables.json"]
    given = json.loads((kept / "c1/variables.json").read_text())
    assert given["password"] == SECRET
    assert [path.stat().st_mode & 0o777 for path in (kept, kept / "c1")] == [0o700, 0o700]
    assert list(Path(settings.secrets).iterdir()) == []
    assert f"what the run was given is in {kept}/c1, for root alone" in capfd.readouterr().err


def test_a_variable_of_any_text_goes_by_the_clients_environment() -> None:
    text = "a \"b\" 'c' #d\\\nü"
    given = environment.give([f"TEXT={text}", "TEXT_2=", "FROM_HERE"], "it")
    assert given.arguments == ["--env=TEXT", "--env=TEXT_2", "--env=FROM_HERE"]
    assert (given.client["TEXT"], given.client["TEXT_2"]) == (text, "")


@pytest.mark.parametrize("name", ["PATH", "DOCKER_HOST", "CONTAINERS_CONF", "http_proxy"])
def test_a_variable_that_would_change_the_client_goes_by_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRETS_VARIABLE, str(tmp_path))
    given = environment.give([f"{name}=a b"], "it")
    assert given.client.get(name) == os.environ.get(name)
    assert given.arguments == [f"--env-file={tmp_path}/env.0"]
    assert (tmp_path / "env.0").read_text() == f"{name}=a b\n"
    assert (tmp_path / "env.0").stat().st_mode & 0o777 == 0o600
    for value in ("a#b", '"a"', " a", "a\nB=c", "a\\"):
        with pytest.raises(HookError, match=f"the variable '{name}' means"):
            environment.give([f"{name}={value}"], "it")


class Gate(BaseHTTPRequestHandler):
    """A server of git's that lets nobody in, and notes who asks."""

    asked: list[str | None]

    def do_GET(self) -> None:
        self.asked.append(self.headers["Authorization"])
        self.send_response(403 if self.headers["Authorization"] else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gate() -> Iterator[ThreadingHTTPServer]:
    Gate.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    with serving(server):
        yield server


@pytest.mark.parametrize("written", ["us%40er:p%3Ass", "us%40er:p:ss"])
def test_git_itself_has_the_kitchens_password(
    written: str, gate: ThreadingHTTPServer, tmp_path: Path
) -> None:
    address = f"http://{written}@127.0.0.1:{gate.server_port}/k"
    assert chef.fetch(address, tmp_path / "kitchen").failed
    assert Gate.asked == [None, "Basic dXNAZXI6cDpzcw=="]


@pytest.mark.parametrize("address", ["https://h/k", "ssh://git@h/k", "/srv/a@b", "git@h:k"])
def test_an_address_without_a_password_stays_as_it_is(address: str) -> None:
    assert chef.apart(address) == (address, {})


def test_what_ansible_makes_of_templates_goes_with_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRETS_VARIABLE, str(tmp_path))
    config = read_config(json.dumps(item("ansible")).encode())
    assert ansible.variables(config)["ANSIBLE_LOCAL_TEMP"] == str(tmp_path)
