# SPDX-License-Identifier: Apache-2.0
"""How an element finds its hook: said here, and checked by each build.

An element is a *group's* when its name is heat-config-GROUP and its ``element-deps`` name
heat-config. In this project each has a hook, which ``hooks/__init__.py`` beside the folder of
the elements names, and each hook has an element; else the build fails. What is named so and does
not depend on heat-config is no group's (heat-config-venv, on which heat-config itself depends).

An image gets the hooks of the elements that it is built with. Elements that lie elsewhere bring
their hooks in a folder ``heat-config-hooks`` of their own, which dib merges with these.

    heat_config_hooks.py TO NAME=PATH...    the elements of the image, and where they lie
"""

from __future__ import annotations

import runpy
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

PREFIX = "heat-config-"


class HookError(Exception):
    """A hook or an element is missing; the message says which, and where it must be."""


def main(arguments: list[str]) -> int:
    """Check this project's hooks and copy those of the image; return the exit status."""
    to, *pairs = arguments
    image = {name: Path(path) for name, _, path in (pair.partition("=") for pair in pairs)}
    elements = image["heat-config"].resolve().parent
    try:
        check(elements)
    except HookError as error:
        print(f"heat-config: {error}", file=sys.stderr, flush=True)
        return 1
    copy(hooks_of(image, elements), Path(to))
    return 0


def groups(elements: Path) -> dict[str, Path]:
    """Return the groups' elements in a folder of elements, by group."""
    named = elements.glob(f"{PREFIX}*/element-deps")
    found = sorted(path.parent for path in named if "heat-config" in path.read_text().splitlines())
    return {_group(path.name): path for path in found}


def hooks(elements: Path) -> dict[str, Path]:
    """Return the hooks beside a folder of elements, by group."""
    found: dict[str, Path] = runpy.run_path(str(_folder(elements) / "__init__.py"))["programs"]()
    return found


def check(elements: Path) -> None:
    """Check that each group's element has a hook, and each hook an element.

    :raises HookError: one has none.
    """
    by_element, by_hook = groups(elements), hooks(elements)
    lacking = [
        f"the element {PREFIX}{group} depends on heat-config, so it is a group's, and has no hook:"
        f" add {_folder(elements)}/{group.replace('-', '_')}.py, or give the element another name"
        for group in by_element
        if group not in by_hook
    ]
    lacking += [
        f"the hook {path} has no element: add {elements}/{PREFIX}{group} whose element-deps name"
        " heat-config, or remove the hook"
        for group, path in by_hook.items()
        if group not in by_element
    ]
    if lacking:
        raise HookError("\n".join(lacking))


def hooks_of(image: Iterable[str], elements: Path) -> dict[str, Path]:
    """Return the hooks of an image that is built with elements of these names, by group."""
    known = hooks(elements)
    return {group: known[group] for group in map(_group, sorted(image)) if group in known}


def copy(found: Mapping[str, Path], to: Path) -> None:
    """Copy the hooks into a folder under their groups' names; others' may be there already."""
    to.mkdir(parents=True, exist_ok=True)
    for group, path in found.items():
        shutil.copy(path, to / group)


def _folder(elements: Path) -> Path:
    return elements.parent / "hooks"


def _group(element: str) -> str:
    return element[len(PREFIX) :] if element.startswith(PREFIX) else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
