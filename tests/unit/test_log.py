# SPDX-License-Identifier: Apache-2.0
"""Many lines at once are masked as each would be alone."""

from __future__ import annotations

import pytest

from heat_config import log

SECRETS = ("hunter22", "ends with a line\n", "ab\ncd", " spaced out ")


@pytest.mark.parametrize(
    "lines",
    [
        "nothing to hide\nat all",
        "a hunter22\nhunter22",
        "ends with a line\nthe next",
        "ab\ncd\nab",
        "x spaced out \n spaced out y",
        "\n\n",
        "",
    ],
)
def test_lines_are_masked_as_each_is_alone(lines: str) -> None:
    log.conceal(SECRETS)
    alone = [log.masked(line) for line in lines.split("\n")]
    assert log.masked_lines(lines) == "\n".join(alone)
    assert log.masked_lines(lines).count("\n") == lines.count("\n")


def test_no_line_of_a_tool_has_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    log.conceal(["hunter22"])
    log.plain_lines("one\nhunter22 two")
    assert capsys.readouterr().err == "one\n*** two\n"
