# SPDX-License-Identifier: Apache-2.0
"""The files of a hook: those that its tool reads, and those that it writes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config import files, settings
from heat_config.hookkit import kept
from heat_config.hookkit.values import HookError, as_json, as_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from heat_config.hookkit.config import Config


class Workplace(NamedTuple):
    """Where a hook writes what its tool reads, and the tool its outputs."""

    folder: Path
    prefix: Path
    """What tools know as ``heat_outputs_path``."""
    outputs: dict[str, Path]
    """The files ``<prefix>.<name>`` of the declared outputs."""


def workplace(group: str, config: Config) -> Workplace:
    """Make a group's two folders, which ``HEAT_<GROUP>_WORKING`` and ``_OUTPUTS`` may move.

    What an earlier run of the config has left as outputs is removed.

    :raises HookError: an output's name would lead out of the folder.
    """
    variable, name = f"HEAT_{group.upper()}", f"heat-config-{group}"
    working = folder(f"{variable}_WORKING", f"/var/lib/heat-config/{name}")
    prefix = folder(f"{variable}_OUTPUTS", f"/var/run/heat-config/{name}") / config.id
    return Workplace(working, prefix, _output_paths(prefix, config.outputs))


@contextmanager
def secret_file(path: Path, data: object) -> Iterator[Path]:
    """A file with data as JSON that only root can read, and only while it is needed.

    It stays where an operator has the run keep what its tool was given.
    """
    files.write_private(path, as_json(data))
    try:
        yield path
    finally:
        if not kept.is_asked_for():
            path.unlink(missing_ok=True)


def secrets_folder() -> Path:
    """The run's own folder: in memory, for root alone, and taken away when the run has ended.

    The agent makes it, so that also a run that is killed leaves nothing. A hook that was
    started by hand has one until it ends.
    """
    given = os.environ.get(settings.SECRETS_VARIABLE)
    if not given:
        given = os.environ[settings.SECRETS_VARIABLE] = tempfile.mkdtemp(prefix="heat-config-")
        atexit.register(shutil.rmtree, given, ignore_errors=True)
    return Path(given)


def folder(variable: str, default: str) -> Path:
    """A private folder of the hook's, which a variable of the environment may move."""
    path = Path(os.environ.get(variable) or default)
    files.make_private_folder(path)
    return path


def path_below(folder: Path, name: object) -> Path:
    """The path of a file that a config names.

    :raises HookError: it would lead out of the folder.
    """
    path = Path(str(name))
    if not isinstance(name, str) or path.is_absolute() or not path.name or ".." in path.parts:
        raise HookError(f"{name!r} cannot be a file below {folder}")
    return folder / path


def write_files(folder: Path, contents: Mapping[str, object]) -> None:
    """Write private files by their names below a folder; data that is no text as YAML.

    :raises HookError: a name would lead out of the folder; then nothing is written.
    """
    paths = {path_below(folder, name): content for name, content in contents.items()}
    files.make_private_folder(folder)
    for path, content in paths.items():
        files.make_private_folder(path.parent)
        files.write_private(path, content if isinstance(content, str) else as_yaml(content))


def _output_paths(prefix: Path, names: Sequence[str]) -> dict[str, Path]:
    for name in names:
        if "/" in name or "\0" in name:
            raise HookError(f"the output {name!r} cannot be a file's name: it holds a '/'")
    paths = {name: prefix.with_name(f"{prefix.name}.{name}") for name in names}
    for path in paths.values():
        path.unlink(missing_ok=True)
    return paths
