# SPDX-License-Identifier: Apache-2.0
"""What compose calls each project; the real ones are in tests/hooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heat_config.hookkit.containers import compose, projects

NAME, FOLDER = "com.docker.compose.project", "com.docker.compose.project.working_dir"

# A docker whose containers are files: each is JSON, with a line for each label beside it.
DOCKER = """#!/bin/sh
cd "$0.containers"
case "$1 $2" in
"ps -aq") for each; do case $each in --filter=label=*) label=${each#--filter=label=} ;; esac; done
    grep -lxF "$label" *.labels | sed 's/.labels$//' ;;
"container inspect") shift 2; printf '['; for each; do printf '%s' "$comma"; cat "$each.json"
    comma=,; done; printf ']' ;;
"rm -f") shift 2; for each; do rm "$each.json" "$each.labels"; done ;;
esac
"""


class Server:
    """A server with projects in folders and containers in its docker."""

    def __init__(self, root: Path) -> None:
        self.folders, self.docker = root / "projects", root / "docker"
        self.containers = root / "docker.containers"
        self.containers.mkdir()
        self.docker.write_text(DOCKER)
        self.docker.chmod(0o755)

    def before(self, folder: str, name: str, *, says_folder: bool = True) -> None:
        """A project that was brought up when no name was kept yet."""
        path = self.folders / folder
        path.mkdir(parents=True)
        (path / projects.COMPOSE_FILE).write_text("{}")
        labels = {NAME: name, **({FOLDER: str(path)} if says_folder else {})}
        facts = {"Id": folder, "Name": f"/{folder}", "Config": {"Labels": labels}, "State": {}}
        (self.containers / f"{folder}.json").write_text(json.dumps(facts))
        lines = "".join(f"{key}={value}\n" for key, value in labels.items())
        (self.containers / f"{folder}.labels").write_text(lines)

    def running(self) -> list[str]:
        return sorted(path.stem for path in self.containers.glob("*.json"))

    def bring_up(self, folder: str) -> str:
        project = compose.Project.of(folder)
        project.write({"a": {}}, {})
        assert compose.Project.of(folder).name == project.name
        return project.name

    def words(self, folder: str) -> list[str]:
        """What compose is given, to bring it up."""
        done = compose.Project.of(folder).up(["/bin/echo"])
        return done.stdout.decode().split()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path)
    monkeypatch.setenv("HEAT_DOCKER_COMPOSE_WORKING", str(made.folders))
    monkeypatch.setenv("HEAT_DOCKER_CMD", str(made.docker))
    return made


def test_no_two_projects_have_one_name(server: Server) -> None:
    names = [server.bring_up(each) for each in ("web.1", "Web1", "web1", "_web1", "空", "海")]
    assert names[0] == "web1"
    assert names[4] == "heat"
    assert len(set(names)) == len(names)
    assert all(name.startswith(("web1", "heat")) for name in names)
    assert "--remove-orphans" in server.words("web.1")


def test_a_name_stays_when_the_other_is_gone(server: Server) -> None:
    server.bring_up("web.1")
    name = server.bring_up("Web1")
    compose.Project.of("web.1").down(["/bin/true"])
    assert server.bring_up("Web1") == name != "web1"
    assert server.bring_up("web.1") == "web1"


@pytest.mark.parametrize("says_folder", [True, False])
@pytest.mark.parametrize("name", ["my-web_1", "myweb1"])
def test_what_runs_already_keeps_its_name(server: Server, name: str, *, says_folder: bool) -> None:
    """heat-agents pins compose 1.4, which takes the second of them."""
    server.before("my-web_1", name, says_folder=says_folder)
    assert server.bring_up("My.web1") not in ("my-web_1", "myweb1")
    assert server.bring_up("my-web_1") == name
    assert server.running() == ["my-web_1"]


def test_without_docker_it_is_compose_that_named_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.before("My-web", "my-web")
    monkeypatch.setenv("HEAT_DOCKER_CMD", "/nonexistent/docker")
    assert server.bring_up("My-web") == "my-web"


def test_two_that_were_one_are_parted_and_neither_removes_the_other(server: Server) -> None:
    server.before("web.1", "web1")
    server.before("Web1", "web1")
    assert server.bring_up("web.1") == "web1"
    assert "--remove-orphans" not in server.words("web.1")
    assert server.running() == ["Web1", "web.1"]

    assert server.bring_up("Web1") not in ("web1", "")
    assert server.running() == ["web.1"]
    assert "--remove-orphans" in server.words("web.1")


@pytest.mark.parametrize("text", ["", "--help", "A", "a b", "ü"])
def test_a_kept_name_that_is_none_is_chosen_anew(server: Server, text: str) -> None:
    assert server.bring_up("a") == "a"
    (server.folders / "a" / projects.KEPT).write_text(text)
    assert server.bring_up("a") == "a"
