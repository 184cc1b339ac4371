# SPDX-License-Identifier: Apache-2.0
"""The config that a hook is given on stdin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import deployment, readable
from heat_config.data import as_text
from heat_config.hookkit.values import HookError, texts

if TYPE_CHECKING:
    from collections.abc import Mapping


class Config(NamedTuple):
    """The config that a hook is given."""

    id: str
    name: str
    """The deployment's name: it stays the same when the config is replaced."""
    config: Any
    values: dict[str, Any]
    """The inputs' values by name."""
    outputs: list[str]
    """The names of the declared outputs."""
    options: dict[str, Any]
    secrets: frozenset[str] = frozenset()
    """The texts that must never be written."""

    @property
    def is_deletion(self) -> bool:
        """Whether the deployment is being deleted."""
        return self.values.get("deploy_action") == "DELETE"

    def flag(self, name: str, *, default: bool = False) -> bool:
        """An option that is on or off.

        :raises HookError: it is neither.
        """
        value = self.options.get(name, default)
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if value is None:
            return default
        if str(value).lower() not in words:
            raise HookError(f"option {name} is {value!r}, not true or false")
        return words[str(value).lower()]

    def number(self, name: str, default: float) -> float:
        """An option that is a number, at least 0.

        :raises HookError: it is not.
        """
        try:
            value = float(self.options.get(name, default))
        except (TypeError, ValueError):
            value = -1
        if not 0 <= value < float("inf"):
            raise HookError(f"option {name} is {self.options[name]!r}, not a number of at least 0")
        return value

    def joined(self, name: str, separator: str) -> str:
        """An option that is a text, or a list of texts to be joined.

        :raises HookError: it is something else.
        """
        return separator.join(texts(self.options.get(name), f"option {name}"))

    def arguments(self, *known: tuple[str, str, str]) -> list[str]:
        """Those of some options that are given, as arguments of a tool.

        Each is the option's name, the argument that it becomes, and what the tool wants
        between the parts of its value.

        :raises HookError: one is neither a text nor a list of texts.
        """
        values = {argument: self.joined(name, separator) for name, argument, separator in known}
        return [f"{argument}={value}" for argument, value in values.items() if value]

    def text(self) -> str:
        """The config as the text that it must be.

        :raises HookError: it is a map or a list.
        """
        if not isinstance(self.config, str):
            raise HookError("the config is not a string; give it with get_file or str_replace")
        return self.config

    def environment(self) -> dict[str, str]:
        """The inputs as variables of the environment.

        :raises HookError: one cannot be a variable; it is named.
        """
        variables = {name: as_text(value) for name, value in self.values.items()}
        check_variables(variables, "the input")
        return variables


def read_config(raw: bytes) -> Config:
    """Read what the agent wrote to stdin.

    :raises HookError: it is no config.
    """
    try:
        item = readable.loads(raw)
    except ValueError as error:
        raise HookError(f"stdin is not valid JSON: {error}") from None
    read = deployment.read(item)
    if read.error:
        raise HookError(read.error)
    names = [output["name"] for output in read.item["outputs"]]
    return Config(
        read.id,
        read.name,
        read.item["config"],
        read.values,
        names,
        read.item["options"],
        frozenset(read.secrets),
    )


# The kernel's MAX_ARG_STRLEN: one variable with its name, in bytes.
_LONGEST_VARIABLE = 131_072


def check_variables(variables: Mapping[str, str], what: str) -> None:
    """See that a program can be given these in its environment.

    :raises HookError: one cannot be a variable; it is named after ``what``.
    """
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name:
            raise HookError(f"{what} {name!r} cannot be a variable of the environment: rename it")
        if "\0" in value:
            raise HookError(f"{what} {name!r} holds a NUL character, which no variable can")
        size = len(os.fsencode(f"{name}={value}")) + 1
        if size > _LONGEST_VARIABLE:
            raise HookError(
                f"{what} {name!r} has {size} bytes; a variable of the environment may have "
                f"{_LONGEST_VARIABLE}. Put the data elsewhere and pass its address"
            )
