# SPDX-License-Identifier: Apache-2.0
"""The files that the command reads, one for each source, under os-collect-config's names.

``NAME.json`` is what was collected last, ``NAME.json.last`` what the command has ended well with,
and ``os_config_files.json`` lists them in their order; ``NAME.json.orig`` is what came first.
``.collectors.json`` says which collector each is from.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import files, log, readable

if TYPE_CHECKING:
    from collections.abc import Container

Contents = list[tuple[str, Any]]
"""Sources by the names of their files, in their order: later ones win."""

LIST = "os_config_files"
NOTE = ".collectors.json"
# A file's name may have 255 bytes, and a temporary one is longer.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@ -]{0,99}")


class Given(NamedTuple):
    """What one collector has given."""

    whose: str
    """Which server and which place there it is of, as the options say."""
    contents: Contents


Sources = dict[str, Given]
"""What each collector has given, in their order."""


class Cache:
    """os-collect-config's folder ``cachedir``."""

    def __init__(self, folder: str, backup: str = "") -> None:
        self._folder = Path(folder)
        self._backup = backup

    def path(self, name: str) -> Path:
        """The file of a source."""
        return self._folder / f"{name}.json"

    def store(self, given: Sources) -> bool:
        """Write the sources for the command, durably; whether it has not ended well with them yet.

        A source that has gone, or has come back, is a change as well.

        :raises OSError: the disk is full, …
        """
        contents = named(given)
        files.make_private_folder(self._folder)
        files.remove_leftovers(self._folder)
        for name, content in contents:
            self._write(self.path(name), _text(content))
            if not self._first(name).exists():
                self._write(self._first(name), _text(content))
        self._write(self.path(LIST), self._listed(contents))
        self._write(self._folder / NOTE, _noted(given))
        if self._is_committed(contents):
            return False
        self._copy()
        return True

    def commit(self, contents: Contents) -> None:
        """Note that the command has ended well with these.

        :raises OSError: the disk is full, …
        """
        for name, content in contents:
            self._write(self._last(name), _text(content))
        self._write(self._last(LIST), self._listed(contents))

    def given(self, collector: str) -> Given | None:
        """What a collector had given when its sources were written; None when that is not known."""
        try:
            noted = _read(self._folder / NOTE)[collector]
            contents = [(str(name), _read(self.path(file))) for name, file in noted["files"]]
            return Given(str(noted["whose"]), contents)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _is_committed(self, contents: Contents) -> bool:
        if not contents and not self._last(LIST).exists():
            return True  # a server that has never had a source has nothing to apply
        try:
            return self._last(LIST).read_text() == self._listed(contents) and all(
                _read(self._last(name)) == content for name, content in contents
            )
        except (OSError, ValueError):  # a crash has cut it: apply it again
            return False

    def _listed(self, contents: Contents) -> str:
        return json.dumps([str(self.path(name)) for name, _ in contents])

    def _last(self, name: str) -> Path:
        return self._folder / f"{name}.json.last"

    def _first(self, name: str) -> Path:
        return self._folder / f"{name}.json.orig"

    def _write(self, path: Path, text: str) -> None:
        """Replace a file unless it is the same; none is written where nothing has changed."""
        with suppress(OSError, ValueError):
            if path.read_text(encoding="utf-8") == text:
                return
        files.write_durably(path, text)

    def _copy(self) -> None:
        """As os-collect-config does, for os-apply-config; nothing hangs on it."""
        if not self._backup:
            return
        try:
            shutil.rmtree(self._backup, ignore_errors=True)
            shutil.copytree(self._folder, self._backup, dirs_exist_ok=True)
        except OSError as error:
            log.warning(f"there is no copy of {self._folder}: {error}")


def differing(given: Sources, applied: Sources) -> list[str]:
    """The collectors that have given something else than what was applied."""
    return sorted(name for name in {*given, *applied} if given.get(name) != applied.get(name))


def named(given: Sources) -> Contents:
    """All sources, each with the name of its file.

    That is the source's own where it can be a file's, and one in ``OS_CONFIG_FILES``, and is free;
    else one that is made of it. So none is left out for its name, and none is a path.
    """
    taken = {*given, *_RESERVED}
    found: Contents = []
    for collector, each in given.items():
        for position, (name, content) in enumerate(each.contents):
            # The first is the collector's own; after it come the configs in it.
            file = name if position == 0 and name == collector else _free(name, taken)
            taken.add(file)
            found.append((file, content))
    return found


def _noted(given: Sources) -> str:
    files_of = iter(named(given))
    return json.dumps(
        {
            collector: {
                "whose": each.whose,
                "files": [[name, next(files_of)[0]] for name, _ in each.contents],
            }
            for collector, each in given.items()
        }
    )


# os-collect-config's collectors, whether they are asked or not, and its list.
_RESERVED = {"cfn", "ec2", "heat", "heat_local", "request", "zaqar", LIST}


def _free(name: str, taken: Container[str]) -> str:
    if _PLAIN.fullmatch(name) and name not in taken:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    number = 1
    while (made := f"config-{digest}-{number}") in taken:
        number += 1
    return made


def _text(content: object) -> str:
    return json.dumps(content, indent=1)


def _read(path: Path) -> Any:
    return readable.own(path.read_bytes())
