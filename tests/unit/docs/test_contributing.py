# SPDX-License-Identifier: Apache-2.0
"""What CONTRIBUTING.md names is there, and the glossary has the words that operators are shown."""

from __future__ import annotations

import re

from tests.support.checkout import DOCS, REPOSITORY

CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
GLOSSARY = (DOCS / "glossary.md").read_text()


def targets() -> set[str]:
    lines = (REPOSITORY / "Makefile").read_text().splitlines()
    named = [line.removeprefix(".PHONY:") for line in lines if line.startswith(".PHONY:")]
    return set(" ".join(named).split()) - {"help"}


def test_each_target_of_make_is_there_and_no_other() -> None:
    assert set(re.findall(r"`make ([a-z-]+)", CONTRIBUTING)) == targets()


def test_make_help_names_each_target() -> None:
    text = (REPOSITORY / "Makefile").read_text()
    shown = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"echo 'make (.*)'", text))))
    assert shown >= targets()


def test_each_path_is_there() -> None:
    paths = re.findall(r"`([a-z_]+/[\w./]*|[a-z_]+\.py)`", CONTRIBUTING)
    packages = ("", "heat_config/")
    assert len(paths) > 20
    missing = [
        path for path in paths if not any((REPOSITORY / p / path).exists() for p in packages)
    ]
    assert missing == []


def words() -> list[str]:
    firsts = [line.split("|")[1] for line in GLOSSARY.splitlines() if line.startswith("| **")]
    return re.findall(r"\*\*(\w+)\*\*", " ".join(firsts))


def test_no_word_has_two_meanings() -> None:
    assert sorted(words()) == sorted(set(words()))


def test_what_status_says_is_in_the_glossary() -> None:
    source = (REPOSITORY / "heat_config/commands/status.py").read_text()
    said = {"pending", "delivered", "unconfirmed", "superseded", "abandoned", "interrupted"}
    assert all(f'"{word}"' in source for word in said)
    assert said <= set(words())
