# SPDX-License-Identifier: Apache-2.0
"""``NamedTuple`` without :mod:`typing`, whose import takes a fifth of a run with nothing to do.

For the modules of that run. A type checker is shown typing's::

    TYPE_CHECKING = False  # typing's, without importing it
    if TYPE_CHECKING:
        from typing import NamedTuple
    else:
        from heat_config.tuples import NamedTuple
"""

from collections import namedtuple


class _Meta(type):
    """Makes a tuple of a class whose annotations are its fields."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
        fields = body.get("__annotations__")
        if not isinstance(fields, dict):
            return super().__new__(cls, name, bases, body)
        defaults = [body.pop(each) for each in fields if each in body]
        made = namedtuple(name, fields, defaults=defaults)  # type: ignore[misc] # known at run time
        return type(name, (made,), {**body, "__slots__": ()})


class NamedTuple(metaclass=_Meta):
    """As typing's: a class derived from it is a tuple with the fields that the class annotates."""
