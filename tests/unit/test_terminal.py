# SPDX-License-Identifier: Apache-2.0
"""What comes from outside gives no order to the terminal on which it is looked at."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from heat_config import cli, log, terminal
from heat_config.run import runlog
from heat_config.settings import Settings
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script

# The screen is cleared, the title set (by C0 and by C1), the direction reversed, a row forged.
ORDERS = "\x1b[2J\x1b]0;title\x07\x9b2J\x9d0;x\x9c\u202e\u2066\r\u2028\x7f\x00\ud800"
SHOWN = "\\x1b[2J\\x1b]0;title\\x07\\x9b2J\\x9d0;x\\x9c\\u202e\\u2066\\r\\u2028\\x7f\\x00\\ud800"
FORGED = "name\nforged   done      delivered"


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self) -> bool:
        return True


def on_a_terminal(*arguments: str) -> str:
    """What `heat-config` writes, stdout and stderr, to a terminal."""
    master, slave = pty.openpty()
    program = "import sys; from heat_config.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=slave, stderr=slave, env=environment
    ):
        os.close(slave)
        written = b""
        try:
            while chunk := os.read(master, 1 << 16):
                written += chunk
        except OSError:  # the other side is closed
            os.close(master)
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("text", ["", "plain", "prüfung ✓ 漢字", "back\\slash", "é"])
def test_what_can_be_printed_is_left(text: str) -> None:
    assert terminal.shown(text) == text


def test_an_order_is_shown_and_not_obeyed() -> None:
    assert terminal.shown(ORDERS) == SHOWN
    assert terminal.shown("a\tb\nc") == "a\\tb\\nc"
    assert terminal.lines(f"a\tb\n{ORDERS}\n") == f"a\tb\n{SHOWN}\n"


def test_what_the_terminals_encoding_lacks_is_escaped() -> None:
    screen = Terminal()
    terminal.write(screen, f"é {ORDERS}\n")
    assert screen.getvalue() == f"\\xe9 {SHOWN}\n"


def test_a_file_gets_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.plain("\x1b[31mred")
    assert capsys.readouterr().err == "\x1b[31mred\n"


def test_a_terminal_gets_a_log_line_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    log.plain(ORDERS)
    assert screen.getvalue() == f"{SHOWN}\n"


def test_a_message_of_several_lines_forges_none(capsys: pytest.CaptureFixture[str]) -> None:
    log.error("a\n[2026-01-01 00:00:00] (heat-config) [INFO] forged")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("[ERROR] a")
    assert second == "    [2026-01-01 00:00:00] (heat-config) [INFO] forged"


@pytest.mark.parametrize("hostile", [ORDERS, FORGED, "\udcff"])
def test_a_name_is_one_cell_of_a_row(
    hostile: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {**script("x", group=hostile), "name": hostile}
    Path(settings.config_file).write_text(json.dumps([item]))
    assert cli.main(["status"]) == 2
    _, row = capsys.readouterr().out.splitlines()
    assert row.startswith(f"{terminal.shown(hostile)}  pending")
    assert cli.main(["status", "--format", "json"]) == 2
    written = capsys.readouterr().out
    assert json.loads(written)[0]["name"] == hostile
    assert written.isascii() and "\x1b" not in written


def test_the_names_in_the_log_are_on_its_line(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    Path(settings.config_file).write_text(json.dumps([{**script("echo x"), "name": FORGED}]))
    assert cli.main(["run"]) == 0
    assert "\nforged" not in capfd.readouterr().err


def test_a_log_is_escaped_on_a_terminal_and_kept_in_its_file(settings: Settings) -> None:
    path = runlog.path_of("c1", settings)
    path.parent.mkdir()
    raw = b"one\tof \x1b[2J \xc3\xa9\xff\n" + b"x" * 65_520 + "é".encode()
    path.write_bytes(raw)
    written = on_a_terminal("log", "c1")
    assert written.startswith("one\tof \\x1b[2J é\\xff\n")
    assert written.endswith("xé")
    assert path.read_bytes() == raw


def test_a_log_that_is_not_there_and_a_status_that_is_not_known(settings: Settings) -> None:
    assert "\x1b" not in on_a_terminal("log", "\x1b[2J")
    Path(settings.config_file).write_text("[")
    assert "is not valid JSON" in on_a_terminal("status")
