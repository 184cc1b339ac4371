# SPDX-License-Identifier: Apache-2.0
"""What is nested too deep, too long or no character stops nobody who reads what is around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heat_config import readable
from heat_config.readable import DEEPEST, LONGEST_NUMBER, TOO_DEEP, TOO_LONG


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    return opening * levels + closing * levels


@pytest.mark.parametrize(
    "text",
    ["{}", nested(DEEPEST), '"]}[{"', r'{"a\"]": "\\", "b": [1, -2.5e3]}', "7" * LONGEST_NUMBER],
)
def test_what_can_be_read_stays_what_it_is(text: str) -> None:
    assert readable.shallow(text) == text


@pytest.mark.parametrize("levels", [DEEPEST, 988, 100_000])
@pytest.mark.parametrize("ends", [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_too_deep_is_left_out_and_its_neighbours_are_not(
    levels: int, ends: tuple[str, str]
) -> None:
    opening, closing = ends
    text = f'{{"a": {opening * levels}1{closing * levels}, "b": "["}}'
    found = json.loads(readable.shallow(text))
    assert found["b"] == "["
    assert readable.left_out(found) == "nested in more than 100 levels"


@pytest.mark.parametrize("digits", ["1" * 301, "-" + "9" * 5000])
def test_a_number_that_is_too_long_is_left_out(digits: str) -> None:
    found = json.loads(readable.shallow(f'[{digits}, 2, "{digits}", 0.{"3" * 400}]'))
    assert found[:3] == [TOO_LONG, 2, digits]
    assert 0.3 < found[3] < 0.4
    assert readable.left_out(found) == "a number of more than 300 digits"


@pytest.mark.parametrize("text", ["[" * 200, "", "no JSON", '"'])
def test_what_is_no_json_becomes_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(readable.shallow(text))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a\ud800": ["\udfff", 1, None]}, {"a?": ["?", 1, None]}),
        ({"a": "\U0001f600é"}, {"a": "\U0001f600é"}),
    ],
)
def test_a_lone_half_of_a_character_becomes_one_that_can_be_written(value: Any, kept: Any) -> None:
    assert readable.encodable(value) == kept


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        ('{"a": 1e999, "b": -1e999, "c": 1e9}', {"a": "1e999", "b": "-1e999", "c": 1e9}),
        (b'"\xff"', "\ufffd"),
        ('[1, 2.5, true, null, "NaN"]', [1, 2.5, True, None, "NaN"]),
    ],
)
def test_what_is_read_can_be_written_as_json(text: str | bytes, value: Any) -> None:
    found = readable.loads(text)
    assert found == value
    json.dumps(found, allow_nan=False)


def test_nothing_is_left_out_of_what_is_usual() -> None:
    assert readable.left_out({"config": TOO_DEEP[:20]}) is None
