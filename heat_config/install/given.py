# SPDX-License-Identifier: Apache-2.0
"""What Heat has for a server that exists already: its attribute ``os_collect_config``, as given.

Source: ``heat.engine.resources.openstack.heat.deployed_server``; python-heatclient's ``openstack
stack output show`` writes an output's value as JSON with ``-f json``, as Python with ``-f value``.
"""

from __future__ import annotations

import ast
import re
import runpy
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import readable, redact
from heat_config.install.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECTION = "os-collect-config"
"""The attribute's name in metadata."""
AGAIN = "openstack stack output show STACK OUTPUT -f json"
"""How it is to be got."""
_MAP = re.compile(r"^\{", re.MULTILINE)


class Template(NamedTuple):
    """The template of os-collect-config.conf: it knows which options there are, and are needed."""

    needed: dict[str, set[str]]
    """Of each collector of Heat's, without which options Heat cannot be asked."""
    section_lines: Callable[[str, dict[str, Any]], list[str]]
    is_complete: Callable[[str, list[str]], bool]
    collectors_of: Callable[[dict[str, Any]], list[str]]

    @classmethod
    def of(cls, path: Path) -> Template:
        """The one of a server.

        :raises InstallError: there is none.
        """
        if not path.is_file():
            raise InstallError(f"there is no {path}: heat-config install makes it")
        found = runpy.run_path(str(path))
        return cls(found["NEEDED"], *(found[name] for name in cls._fields[1:]))


def read(text: str) -> dict[str, Any]:
    """The attribute: by itself, in what shows an output, or in metadata.

    :raises InstallError: it is none of these, or has no value yet.
    """
    found = _parsed(text)
    if isinstance(found, dict) and "output_value" in found:
        if found.get("output_error"):
            raise InstallError(f"Heat has no such output: {found['output_error']}")
        found = found["output_value"]
        found = _parsed(found) if isinstance(found, str) else found
    if isinstance(found, dict) and SECTION in found:
        found = found[SECTION]
    if not found:
        raise InstallError(
            f"the attribute has no value yet: wait until the server's resource is complete, and "
            f"get it again ({AGAIN})"
        )
    if not isinstance(found, dict):
        raise InstallError(f"this is no map but {type(found).__name__}: {_wanted()}")
    return found


def check(config: dict[str, Any], template: Template) -> list[str]:
    """The collectors in it that find Heat's metadata: one or more, with all that they need.

    :raises InstallError: there is none, or it lacks something; values that are secret stay so.
    """
    names = [name for name in template.collectors_of(config) if name in template.needed]
    if not names:
        raise InstallError(
            f"collectors = {config.get('collectors')!r} names no place of Heat's metadata "
            f"({', '.join(template.needed)}): wait until the server's resource is complete, and "
            f"get it again ({AGAIN})"
        )
    for name in names:
        _check_section(name, config.get(name), template)
    return names


def _check_section(name: str, values: object, template: Template) -> None:
    if not isinstance(values, dict):
        raise InstallError(f"there is no section {name}, which collectors names: {_wanted()}")
    lines = template.section_lines(name, values)
    if template.is_complete(name, lines):
        return
    missing = template.needed[name] - {line.partition(" = ")[0] for line in lines[1:]}
    if missing:
        raise InstallError(
            f"{name} has no usable {', '.join(sorted(missing))}: get all of it again ({AGAIN})"
        )
    for option in ("auth_url", "metadata_url"):
        if "://" not in str(values.get(option, "://")):
            shown = redact.url(str(values[option]))
            raise InstallError(f"{name}: {option} = {shown!r} is no address with its http://")


def _parsed(text: str) -> Any:
    """JSON, or what Python writes of it; with or without the lines that are before an output."""
    start = _MAP.search(text)
    kept = text[start.start() :] if start else text
    if not kept.strip():
        raise InstallError(f"nothing was given: {_wanted()}")
    try:
        return readable.loads(kept)
    except ValueError as error:
        reason = error
    try:
        return ast.literal_eval(kept.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise InstallError(f"this is no JSON ({reason}): {_wanted()}") from None


def _wanted() -> str:
    return f"what is wanted is the attribute os_collect_config of the server's resource ({AGAIN})"
