# SPDX-License-Identifier: Apache-2.0
"""What a template's author may have written; what is refused is in tests/unit/hooks."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from heat_config import hookkit


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, []),
        ("", []),
        ("a", ["a"]),
        (["a", 1, None, ""], ["a", "1"]),
        ({"a": 1, "b": {"c": 2}}, ["a=1", 'b={"c": 2}']),
    ],
)
def test_a_list_of_texts_may_be_written_in_several_ways(value: object, texts: list[str]) -> None:
    assert hookkit.texts(value, "it") == texts


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, []), ("sh -c 'a b'", ["sh", "-c", "a b"]), (["a b", 1], ["a b", "1"])],
)
def test_a_command_is_a_list_or_split_as_a_shell_does(value: object, words: list[str]) -> None:
    assert hookkit.words(value, "it") == words


@pytest.mark.parametrize("value", [{"a": 1}, "a: 1\n", '{"a": 1}'])
def test_a_map_may_be_the_yaml_of_one(value: object) -> None:
    assert hookkit.map_of(value, "it") == {"a": 1}


def test_a_map_that_is_not_given_is_empty() -> None:
    assert hookkit.map_of(None, "it") == hookkit.map_of("", "it") == {}


def test_yaml_that_json_has_no_words_for_becomes_json_all_the_same() -> None:
    """Its keys may be of several kinds, and its values dates."""
    given: dict[Any, Any] = {"b": date(2026, 11, 24), 7: "one", True: {2: "two", "a": None}}
    text = hookkit.as_json(given)
    assert text.endswith("}\n")
    assert json.loads(text) == {"b": "2026-11-24", "7": "one", "true": {"2": "two", "a": None}}


def test_yaml_is_written_with_its_own_letters() -> None:
    assert hookkit.as_yaml({"a": "größe"}) == "a: größe\n"
