# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from compare.verdict import Verdict, brief, summary, table

GOOD = Verdict(True, "complete after 34 s")
BAD = Verdict(False, "404")


def test_a_line_for_each_case() -> None:
    assert table({"a": GOOD, "b": GOOD}, {"a": BAD}) == [
        "a | passed: complete after 34 s | FAILED: 404",
        "b | passed: complete after 34 s | not run",
    ]


def test_the_last_line_counts() -> None:
    plugin, alone = {"a": GOOD, "b": GOOD}, {"a": BAD, "b": GOOD}
    said = "plug-in: 2 of 2, Heat alone: 1 of 2, chain/floor: 1.23"
    assert summary(plugin, alone, 1.234) == said
    assert summary({}, {}, None).endswith("chain/floor: not measured")


def test_a_reason_is_one_line() -> None:
    assert brief("one\n two") == "one two"
    assert len(brief("x" * 500)) == 160
