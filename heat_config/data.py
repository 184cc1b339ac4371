# SPDX-License-Identifier: Apache-2.0
"""What is said of a value that came from a template, and the value as one text."""

from __future__ import annotations

import json


def kind(value: object) -> str:
    """What a value is, in Heat's words, for a message to the template's author."""
    kinds = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def as_text(value: object) -> str:
    """An input's value as one text: what a script finds in its environment.

    Maps and lists are JSON, null is empty, numbers and booleans are written as
    Heat's ``str_replace`` writes them (``True``, ``1.5``).
    """
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value)
