# SPDX-License-Identifier: Apache-2.0
"""No value of os-collect-config.conf ends the service: one that cannot be used is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config.collect import loop, options
from heat_config.collect.upstream import collect

CONF = loop.CONF
Configure = Callable[[str], Path]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Read a configuration of these lines."""
    monkeypatch.setattr(options, "_said", set())

    def written(text: str) -> Path:
        path = tmp_path / "collect.conf"
        path.write_text(f"[DEFAULT]\n{text}\n")
        CONF.reset()
        loop.configure(["--config-file", str(path)])
        return path

    yield written
    CONF.reset()


BAD: list[tuple[str, str, str, Any]] = [
    ("DEFAULT", "polling_interval", "30s", 30),
    ("DEFAULT", "polling_interval", "0", 1),
    ("DEFAULT", "polling_interval", "-1", 1),
    ("DEFAULT", "polling_interval", "nan", 30),
    ("DEFAULT", "polling_interval", "inf", 86_400),
    ("DEFAULT", "polling_interval", "1e400", 86_400),
    ("DEFAULT", "min_polling_interval", "0", 0.05),
    ("DEFAULT", "min_polling_interval", "[1]", 1),
    ("DEFAULT", "splay", "x", 0),
    ("DEFAULT", "splay", "1e30", 3600),
    ("zaqar", "use_websockets", "maybe", False),
    ("zaqar", "ssl_certificate_validation", "maybe", True),
    ("zaqar", "cache_lifetime", "-1", 3000),
    ("zaqar", "cache_lifetime", "for ever", 3000),
    ("zaqar", "auth_url", "keystone.example/v3", None),
    ("zaqar", "auth_url", "http://[", None),
    ("heat", "auth_url", "x", None),
    ("request", "metadata_url", "swift", None),
    ("request", "timeout", "0", 0.1),
    ("cfn", "timeout", "soon", 10),
    ("ec2", "metadata_url", "x", "http://169.254.169.254/latest/meta-data"),
    ("keystone", "cache_ttl", "x", 1800),
]


@pytest.mark.parametrize(("section", "name", "value", "instead"), BAD)
def test_a_value_that_cannot_be_used_is_left_out_and_said_once(
    configure: Configure,
    capsys: pytest.CaptureFixture[str],
    section: str,
    name: str,
    value: str,
    instead: Any,
) -> None:
    for _ in range(2):
        configure(f"debug = true\n[{section}]\n{name} = {value}")
        found = CONF[name] if section == "DEFAULT" else CONF[section][name]
        assert found == instead
    said = capsys.readouterr().err
    assert said.count(f"os-collect-config.conf: {name} in [{section}] = {value!r} is not ") == 1
    assert "is taken in its place" in said


def test_what_is_in_an_address_is_not_said(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("[zaqar]\nauth_url = user:hunter22@host/v3?key=0123456789abcdef")
    said = capsys.readouterr().err
    assert "auth_url in [zaqar] = 'host/v3' is not an address with its scheme" in said
    assert "hunter22" not in said


def test_values_that_can_be_used_are_what_they_are(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("polling_interval = 5\n[zaqar]\nuse_websockets = yes\nauth_url = http://h/v3")
    assert (CONF.polling_interval, CONF.zaqar.use_websockets) == (5, True)
    assert CONF.zaqar.auth_url == "http://h/v3"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "left"),
    [(["zaqar", "nova"], ["zaqar"]), (["nova"], collect.DEFAULT_COLLECTORS)],
)
def test_a_collector_that_there_is_not_is_left_out(
    configure: Configure, capsys: pytest.CaptureFixture[str], given: list[str], left: list[str]
) -> None:
    configure("\n".join(f"collectors = {name}" for name in given))
    assert options.leave_out_collectors([]) == []
    assert CONF.collectors == left
    assert "left out nova: there is no such collector" in capsys.readouterr().err


def test_who_asks_for_one_by_hand_is_told(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configure("collectors = zaqar")
    CONF.reset()
    assert loop.main(["--config-file", str(path), "nova"]) == 2
    assert "Unknown collectors nova" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["relative", "/proc/there/is/none", "/dev/null/x"])
def test_a_folder_that_can_be_none_is_not_used(
    configure: Configure,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
) -> None:
    monkeypatch.setattr(options, "_default", lambda _: "/the/default")
    configure(f"cachedir = {folder}")
    options.use_a_folder()
    assert CONF.cachedir == "/the/default"
    assert f"cachedir = {folder!r} cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["no value\n", "[zaqar\n", "command = $there_is_none"])
def test_a_file_that_is_no_configuration_has_an_exit_status_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "collect.conf"
    path.write_text(f"[DEFAULT]\n{text}")
    CONF.reset()
    assert loop.main(["--config-file", str(path)]) == loop.BAD_CONFIGURATION
    assert "the configuration cannot be read: " in capsys.readouterr().err
    CONF.reset()
