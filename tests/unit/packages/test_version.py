# SPDX-License-Identifier: Apache-2.0
"""Versions of packages: dpkg itself says which is the higher one."""

from __future__ import annotations

import subprocess
from itertools import pairwise

import pytest

from packages.version import LOCAL, changelog, debian_version, maintainer

ORDER = (
    *("0.2.0.dev3", "0.2.0.dev10", "0.2.0a1.dev2", "0.2.0a1", "0.2.0b2", "0.2.0rc1"),
    *("0.2.0", "0.2.0.post1", "0.2.1", "0.10.0"),
)


@pytest.mark.parametrize(("one", "other"), list(pairwise(ORDER)))
def test_they_are_in_pythons_order(one: str, other: str) -> None:
    assert _is_lower(debian_version(one, "12", 1), debian_version(other, "12", 1))


def test_a_later_build_and_a_later_release_are_upgrades() -> None:
    assert debian_version("0.1.0", "12", 1) == "0.1.0-1+deb12"
    assert _is_lower("0.1.0-1+deb12", debian_version("0.1.0", "12", 2))
    assert _is_lower("0.1.0-1+deb12", debian_version("0.1.0", "13", 1))


def test_the_changelog_is_one_that_debian_reads() -> None:
    text = changelog("0.1.0-1+deb12", "bookworm", 1_780_000_000, LOCAL)
    command = ["dpkg-parsechangelog", "--file", "-", "--show-field"]
    for field, value in (
        *(("Version", "0.1.0-1+deb12"), ("Timestamp", "1780000000"), ("Maintainer", LOCAL)),
    ):
        done = subprocess.run([*command, field], input=text, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (f"{value}\n", "")


def test_who_builds_it_stands_for_it() -> None:
    named = {"DEBFULLNAME": "Ann Operator", "DEBEMAIL": "ann@example.org"}
    assert maintainer(named) == "Ann Operator <ann@example.org>"
    assert maintainer({"DEBEMAIL": "ann@example.org"}) == maintainer({}) == LOCAL


def _is_lower(one: str, other: str) -> bool:
    return not subprocess.run(["dpkg", "--compare-versions", one, "lt", other]).returncode
