# SPDX-License-Identifier: Apache-2.0
"""The settings' file and the manual page that an image gets, held together with the program."""

from __future__ import annotations

import argparse
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from heat_config import settings
from heat_config.commands import line

DATA = Path(__file__).parents[3] / "elements/heat-config/heat-config"
CONF = (DATA / "heat-config.conf").read_text()
PAGE = (DATA / "heat-config.8").read_text()
LINES = re.findall(r"(?m)^#([A-Z_]+)=(.*)$", CONF)

# The settings that the program reads.
KNOWN = set(re.findall(r'"((?:HEAT|OS)_[A-Z_]+)"', inspect.getsource(settings.load))) - {
    "HEAT_CONFIG_SETTINGS"
}


class TestConf:
    def test_has_each_setting_once_and_no_other(self) -> None:
        assert sorted(name for name, _ in LINES) == sorted(KNOWN)

    def test_sets_nothing(self) -> None:
        assert [line for line in CONF.splitlines() if line and not line.startswith("#")] == []

    def test_has_the_defaults(self, tmp_path: Path) -> None:
        file = tmp_path / "conf"
        file.write_text("".join(f"{name}={value}\n" for name, value in LINES))

        given = settings.load({"HEAT_CONFIG_SETTINGS": str(file)})

        assert given == settings.load({"HEAT_CONFIG_SETTINGS": str(tmp_path / "none")})

    @pytest.mark.parametrize(("name", "value"), LINES)
    def test_has_names_that_count(self, tmp_path: Path, name: str, value: str) -> None:
        """Another value than the file's changes what the program goes by."""
        file = tmp_path / "conf"
        file.write_text(f"{name}={'' if value == '0' else value}1\n")

        given = settings.load({"HEAT_CONFIG_SETTINGS": str(file)})

        assert given != settings.load({"HEAT_CONFIG_SETTINGS": str(tmp_path / "none")})

    def test_explains_each(self) -> None:
        explained = re.findall(r"(?m)^# .*\n#([A-Z_]+)=", CONF)

        assert explained == [name for name, _ in LINES]


class TestManualPage:
    def test_is_good_roff(self) -> None:
        checked = subprocess.run(
            ["groff", "-z", "-ww", "-man", DATA / "heat-config.8"],
            capture_output=True,
            text=True,
            check=True,
        )

        assert checked.stderr == ""

    def test_explains_every_command_and_option(self) -> None:
        commands = sections()["COMMANDS"]
        for command, options in command_line().items():
            (text,) = re.findall(
                rf"(?ms)^\.TP\n\.\S+ \"?{command}\b(.*?)(?=^\.TP\n\.\S+ \"?[a-z]|\Z)", commands
            )
            assert {option for option in options if not explains(text, option)} == set(), command

    def test_names_no_command_or_option_that_is_none(self) -> None:
        real = {option for options in command_line().values() for option in options}
        named = set(re.findall(r"(?<![\w-])--?[a-z]+(?:-[a-z]+)*", plain(PAGE)))

        # The program's own, and journalctl's.
        assert named - real == {"-h", "--help", "--version", "-u"}

    def test_names_every_setting(self) -> None:
        environment = sections()["ENVIRONMENT"]

        assert set(re.findall(r"\b(?:HEAT|OS)_[A-Z_]+", environment)) == {
            *KNOWN,
            "HEAT_CONFIG_SETTINGS",
        }

    def test_has_the_paths_of_the_defaults(self, tmp_path: Path) -> None:
        given = settings.load({"HEAT_CONFIG_SETTINGS": str(tmp_path / "none")})
        files = sections()["FILES"]
        folders = (*given.hook_folders, given.deployed, given.outbox, given.logs)

        for path in (settings.FILE, given.config_file, *(f"{folder}/" for folder in folders)):
            assert f".I {path}" in files


def plain(roff: str) -> str:
    """Roff's text with plain hyphens, and without its fonts."""
    return re.sub(r"\\f[A-Z]", "", roff.replace(r"\-", "-"))


def sections() -> dict[str, str]:
    parts = re.split(r"(?m)^\.SH (.*)\n", plain(PAGE))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def explains(text: str, option: str) -> bool:
    """Whether a paragraph of its own begins with the option."""
    return any(
        option in re.findall(r"--?[a-z-]+", head) for head in re.findall(r"\.TP\n(.*)", text)
    )


def command_line() -> dict[str, set[str]]:
    """Each command's options; a command without any has an empty set."""
    return {name: set(_options(parser)) - {"-h", "--help"} for name, parser in _commands()}


def _commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in line._parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
