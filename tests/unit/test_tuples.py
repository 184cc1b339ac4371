# SPDX-License-Identifier: Apache-2.0
"""The named tuple of the quick path is what typing's is."""

from __future__ import annotations

import typing

import pytest

from heat_config import tuples


def made(base: typing.Any) -> typing.Any:
    class Point(base):  # type: ignore[misc]
        """A place."""

        x: int
        y: int = 2
        """Upwards."""

        @property
        def total(self) -> int:
            return int(self.x + self.y)

    return Point


@pytest.mark.parametrize("base", [typing.NamedTuple, tuples.NamedTuple])
def test_it_is_a_tuple_with_names_defaults_and_methods(base: object) -> None:
    kind = made(base)
    point = kind(1)
    assert issubclass(kind, tuple)
    assert (point, point.y, point.total) == ((1, 2), 2, 3)
    assert point._replace(y=5) == (1, 5)
    assert kind._fields == ("x", "y")
    assert (kind.__doc__, repr(point)) == ("A place.", "Point(x=1, y=2)")
    with pytest.raises(AttributeError):
        point.z = 3
    with pytest.raises(TypeError):
        kind()
