# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from heat_config import data


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ({"a": [1]}, "a map", '{"a": [1]}'),
        ([1, "x"], "a list", '[1, "x"]'),
        ("ä", "a string", "ä"),
        (True, "a boolean", "True"),
        (None, "null", ""),
        (3, "a number", "3"),
        (1.5, "a number", "1.5"),
    ],
)
def test_each_value_has_a_name_and_a_text(value: object, kind: str, text: str) -> None:
    assert (data.kind(value), data.as_text(value)) == (kind, text)
