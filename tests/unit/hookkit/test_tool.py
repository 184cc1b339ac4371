# SPDX-License-Identifier: Apache-2.0
"""Why a tool has failed, picked out of what it has written to stderr."""

from __future__ import annotations

from heat_config.hookkit import Reasons
from heat_config.result import Result


def ordered(stderr: str, status: int = 1) -> str:
    reasons = Reasons(("Error: ",), others=("Warning: ",))
    for line in stderr.splitlines():
        reasons.watch(line)
    return reasons.first(Result(status, stderr=stderr)).stderr


def test_the_last_error_is_first_and_each_keeps_its_lines() -> None:
    stderr = "before\nError: a\n more of a\nWarning: w\n more of w\nError: b\n more of b\n"
    assert ordered(stderr) == (
        "Error: b\n more of b\nError: a\n more of a\nbefore\nWarning: w\n more of w\n"
    )


def test_a_success_and_what_has_no_errors_stay_as_they_are() -> None:
    for stderr, status in (("Warning: w\nError: a\n", 0), ("Warning: w\nwithout an end", 1)):
        assert ordered(stderr, status) == stderr


def test_what_is_put_first_is_not_too_much() -> None:
    """A signal keeps the ends of texts: the errors and what follows them must be within it."""
    more = "x" * 3000 + "\n" + "y" * 9000 + "\n"
    stderr = "".join(f"Error: {number} {more}" for number in range(40))
    found = ordered(stderr)
    assert found.startswith("Error: 39 x")
    assert "Error: 24 x" in found
    assert "Error: 2 x" not in found
    assert len(found) < 140_000
