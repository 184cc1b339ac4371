# SPDX-License-Identifier: Apache-2.0
"""What a command writes, recorded and drawn as a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as Xml
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pictures import terminal
from pictures.terminal import COLUMNS, PAUSE, ROWS, Line
from tests.support.checkout import DOCS
from tests.support.svg import SPACE, read, texts

DAY = datetime(2026, 1, 2, tzinfo=timezone.utc)


def drawn(lines: list[Line]) -> Xml.Element:
    return read(terminal.drawn("make demo", DAY, lines))


def test_a_command_is_recorded_without_the_folders_own_path(tmp_path: Path) -> None:
    said = "echo begin; echo 'at $PWD/x'; echo wrong >&2"
    argv = ["sh", "-c", said.replace("'", '"')]
    lines = terminal.recorded(argv, tmp_path, os.environ)
    assert [line.text for line in lines] == ["begin", "at x", "wrong"]
    assert lines == sorted(lines, key=lambda line: line.time)


def test_a_command_that_fails_makes_no_picture(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        terminal.recorded(["false"], tmp_path, os.environ)


def test_each_line_is_there_with_its_time_and_the_day_is_told() -> None:
    long = "x" * (COLUMNS + 1)
    found = texts(drawn([Line(0.04, "==> <begin> & end"), Line(2.25, ""), Line(61.0, long)]))
    assert found[0].startswith("make demo    2 January 2026, in 61 s")
    assert found[1:] == ["0.0", "==> <begin> & end", "61.0", f"{long[: COLUMNS - 1]}…"]


def test_pauses_are_cut_and_the_lines_of_a_moment_come_together() -> None:
    style = drawn([Line(0, "a"), Line(0, "b"), Line(100, "c")]).findtext(f"{SPACE}style") or ""
    whole = PAUSE + terminal.STAYS
    assert f"written {whole:.1f}s step-end infinite" in style
    moments = re.findall(r"([\d.]+)%", style.partition("@keyframes written")[2])
    assert moments == ["0", "0.00", f"{PAUSE / whole * 100:.2f}"]


def test_what_does_not_move_shows_the_end() -> None:
    lines = [Line(number, f"line {number}") for number in range(ROWS + 3)]
    root = drawn(lines)
    (group,) = (each for each in root.iter(f"{SPACE}g") if each.attrib.get("id") == "lines")
    up = float(group.attrib["transform"].split()[1].rstrip(")"))
    last = [float(each.attrib["y"]) + up for each in group.findall(f"{SPACE}text")][-1]
    assert 0 < last < terminal.HEIGHT
    (cover,) = (each for each in root.iter(f"{SPACE}rect") if each.attrib.get("id") == "unwritten")
    below = float(cover.attrib["transform"].split()[1].rstrip(")"))
    assert float(cover.attrib["y"]) + below + up > last


@pytest.mark.parametrize("name", ["demo.svg", "timeline.svg"])
def test_what_was_recorded_says_when(name: str) -> None:
    root = read((DOCS / name).read_text())
    said = [*texts(root), root.findtext(f"{SPACE}title") or ""]
    assert any(re.search(r"\b20\d\d\b", each) for each in said)


def test_what_was_recorded_has_gone_well() -> None:
    found = texts(read((DOCS / "demo.svg").read_text()))
    assert any(each.startswith("make demo: both stacks were created") for each in found)
    assert not [each for each in found if "FAILED" in each]
