# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from lab import LabError, config, identity, services, swift, venv


def test_ports_are_free_distinct_and_out_of_the_way_of_clients() -> None:
    ports = config.free_ports(config.PORTS)
    assert set(ports) == set(config.PORTS)
    assert len(set(ports.values())) == len(config.PORTS)
    for port in ports.values():
        assert 1024 < port < 32768
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_a_port_that_is_taken_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(config, "_PORTS", [port])
        with pytest.raises(LabError):
            config.free_ports(["one"])


def test_a_port_that_a_lab_was_given_is_not_given_to_another_before_it_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "_PORTS", list(config.free_ports(["one"]).values()))
    with pytest.raises(LabError):
        config.free_ports(["another"])


def test_passwords_are_new_each_time() -> None:
    first, second = config.new_passwords(), config.new_passwords()
    assert not set(first.values()) & set(second.values())
    assert {len(password) for password in first.values()} == {32}


def test_all_templates_are_rendered_for_the_owner_alone(tmp_path: Path) -> None:
    settings = config.Settings.new(tmp_path, token_expiration=77)
    settings.render()
    files = [path for path in (tmp_path / "etc").iterdir() if path.is_file()]
    rendered = {path.name: path.read_text() for path in files}
    assert set(rendered) == {path.name for path in config.TEMPLATES.iterdir()}
    assert not [name for name, text in rendered.items() if "$" in text]
    assert "expiration = 77\n" in rendered["keystone.conf"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("plugin", [False, True])
def test_heat_loads_the_plugin_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: bool
) -> None:
    heats_own = tmp_path / "venv/etc/heat/environment.d"
    heats_own.mkdir(parents=True)
    (heats_own / "default.yaml").touch()
    monkeypatch.setattr(venv, "VENV", tmp_path / "venv")
    config.Settings.new(tmp_path, plugin=plugin).render()
    heat = (tmp_path / "etc/heat.conf").read_text()
    folder = config.PLUGIN / "plugin_dir"
    assert f"plugin_dirs = {folder if plugin else ''}\n" in heat
    environments = {path.name for path in (tmp_path / "etc/environment.d").iterdir()}
    assert environments == {"default.yaml", *(["heat-config.yaml"] if plugin else [])}
    assert list(folder.iterdir())


def test_the_plugin_can_be_left_to_those_who_ask(tmp_path: Path) -> None:
    config.Settings.new(tmp_path, plugin=True, for_all=False).render()
    assert str(config.PLUGIN) in (tmp_path / "etc/heat.conf").read_text()
    assert not (tmp_path / "etc/environment.d/heat-config.yaml").exists()


def test_nothing_listens_beyond_loopback() -> None:
    """Each address in the templates is loopback's, and no port is a fixed one."""
    for path in config.TEMPLATES.iterdir():
        settings = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        for address in re.findall(r"\d+\.\d+\.\d+\.\d+(?::[^/?\s]+)?", "\n".join(settings)):
            assert re.fullmatch(r"127\.0\.0\.1(:\$\w+_port)?", address), f"{path}: {address}"


def test_a_name_that_no_value_has_is_an_error(tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.write_text("port = $no_such_port\n")
    with pytest.raises(KeyError, match="no_such_port"):
        config.render(template, tmp_path / "target", {})
    assert not (tmp_path / "target").exists()


def test_a_file_is_replaced_whole_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a long old text")
    path.chmod(0o644)
    (tmp_path / "file.new").write_text("left by a crash")
    config.write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_services_see_nothing_of_the_callers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    environment = config.environment(tmp_path)
    assert not [name for name in environment if "proxy" in name.lower()]
    assert environment["HOME"] == str(tmp_path / "etc")


def test_the_catalog_has_what_heat_and_the_agents_look_up(tmp_path: Path) -> None:
    settings = config.Settings.new(tmp_path)
    urls = {kind: url for kind, (url, _) in identity.catalog(settings).items()}
    assert set(urls) >= {"identity", "messaging", "messaging-websocket", "orchestration"}
    assert not urls["identity"].endswith("/v3"), "heat-api-cfn would ask for /v3/v3"
    assert urls["messaging-websocket"].startswith("ws://127.0.0.1:")


def test_every_requirement_is_pinned() -> None:
    lines = venv.REQUIREMENTS.read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert len(packages) > 100
    assert [line for line in packages if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_the_environment_is_known_by_its_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = venv.key()
    assert before == venv.key()
    changed = tmp_path / "requirements.txt"
    changed.write_text(venv.REQUIREMENTS.read_text() + "another==1\n")
    monkeypatch.setattr(venv, "REQUIREMENTS", changed)
    assert venv.key() != before


def test_swift_is_there_only_when_it_is_asked_for(tmp_path: Path) -> None:
    plain = config.Settings.new(tmp_path)
    asked = config.Settings.new(tmp_path, profile=swift.SWIFT)
    assert "object-store" not in identity.catalog(plain)
    url, _ = identity.catalog(asked)["object-store"]
    assert url == f"http://127.0.0.1:{asked.ports['swift']}/v1/AUTH_%(project_id)s"
    before, after = services.services(config.PLAIN), services.services(swift.SWIFT)
    added = [each.name for each in after if each not in before]
    assert added == ["swift-account", "swift-container", "swift-object", "swift-proxy"]


def test_what_swift_adds_to_the_environment_is_pinned() -> None:
    lines = swift.REQUIREMENTS.read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert packages
    assert [line for line in packages if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_what_swift_adds_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(venv, "VENV", tmp_path)
    monkeypatch.setattr(venv, "CACHE", tmp_path)
    monkeypatch.setattr(venv, "run", lambda command: ran.append([str(word) for word in command]))
    assert venv.add(swift.REQUIREMENTS)
    assert [words[-1] for words in ran] == [str(swift.REQUIREMENTS), "check"]
    assert not venv.add(swift.REQUIREMENTS)
