# SPDX-License-Identifier: Apache-2.0
"""What a template's author has written, as the kind of data that a hook needs."""

from __future__ import annotations

import json
import shlex
from typing import Any

from heat_config.data import as_text, kind


class HookError(Exception):
    """The config cannot be run; the message tells its author why."""

    def __init__(self, message: str, status_code: int = 1) -> None:
        super().__init__(message)
        self.status_code = status_code


def parsed(data: object, what: str) -> Any:
    """The data that a text holds as YAML, of which JSON is a part; other data as it is.

    :raises HookError: the text is not valid; ``what`` names it.
    """
    if not isinstance(data, str):
        return data
    yaml = _yaml()
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise HookError(f"{what} is not valid YAML: {error}") from None


def map_of(data: object, what: str) -> dict[str, Any]:
    """A map, or the YAML of one; nothing at all is an empty one.

    :raises HookError: it is something else; ``what`` names it.
    """
    found = parsed(data, what)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise HookError(f"{what} is {kind(found)}, not a map")
    return found


def texts(value: object, what: str) -> list[str]:
    """A list of texts; one text, or a map (as ``key=value``), counts as such a list.

    :raises HookError: it is something else; ``what`` names it.
    """
    if isinstance(value, dict):
        value = [f"{key}={as_text(part)}" for key, part in value.items()]
    if value is None or isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise HookError(f"{what} is {kind(value)}, not a list")
    return [as_text(part) for part in value if part not in (None, "")]


def words(value: object, what: str) -> list[str]:
    """A command: a list of words, or a text that is split as a shell does.

    :raises HookError: the text has an open quote; ``what`` names it.
    """
    if not isinstance(value, str):
        return [] if value is None else texts(value, what)
    try:
        return shlex.split(value)
    except ValueError as error:
        raise HookError(f"{what} cannot be split into words: {error}") from None


def as_json(data: object) -> str:
    """Data as the text of a file that people read too."""
    # YAML has maps whose keys are not all strings; only such keys can be put in order.
    plain = json.loads(json.dumps(data, default=str))
    return json.dumps(plain, indent=4, sort_keys=True) + "\n"


def as_yaml(data: object) -> str:
    """Data as the text of a file for a tool that reads YAML."""
    return str(_yaml().safe_dump(data, allow_unicode=True))


def _yaml() -> Any:
    """PyYAML, for the configs that need it: a script starts 20 ms sooner without it."""
    import yaml

    return yaml
