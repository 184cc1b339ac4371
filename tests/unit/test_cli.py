# SPDX-License-Identifier: Apache-2.0
"""Where the three programs begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from heat_config import cli, settings


def test_a_setting_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEAT_CONFIG_TIMEOUT", "soon")
    assert cli.main(["run"]) == cli.BAD_SETTING
    assert "HEAT_CONFIG_TIMEOUT='soon' must be a number, at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "1e999", "9" * 400])
@pytest.mark.parametrize(
    "name", ["TIMEOUT", "LOGS_SIZE", "MESSAGE_TTL", "FALLBACK_AFTER", "FIRST_WAIT", "DEADLINE"]
)
def test_a_number_without_an_end_is_no_setting(name: str, value: str) -> None:
    with pytest.raises(settings.SettingsError) as raised:
        settings.load({f"HEAT_CONFIG_{name}": value})
    assert f"HEAT_CONFIG_{name}={value[:80]!r} must be a number, at least" in str(raised.value)


def test_settings_come_from_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "heat-config.conf"
    file.write_text("# mine\nHEAT_CONFIG_MESSAGE_TTL = '3600'\nHEAT_CONFIG_TIMEOUT=60\n")
    monkeypatch.setenv("HEAT_CONFIG_TIMEOUT", "90")
    loaded = settings.load()
    assert (loaded.message_ttl, loaded.time_limit) == (3600, 90)
    file.write_text("HEAT_CONFIG_MESSAGE_TTL=5\n")
    assert cli.main(["run"]) == cli.BAD_SETTING
    assert "at least 60 and at most 1209600" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_notify_has_a_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.notify(arguments) == 2
    assert "usage: heat-config-notify" in capsys.readouterr().err


def test_rebuild_has_a_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.rebuild_deployed(["x"]) == 2
    assert "usage: heat-config-rebuild-deployed" in capsys.readouterr().err
