# SPDX-License-Identifier: Apache-2.0
"""What the hooks share.

A hook is a program: the config as JSON on stdin, one JSON object on stdout, log
lines on stderr, exit status 0. Its own code is one function from a
:class:`Config` to a :class:`~heat_config.result.Result`; :func:`main` is the rest.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import deployment, files, log, process, redact, settings
from heat_config.result import Result, failure, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


# Bytes: the agent keeps more of what a hook prints, and no signal may have more.
LARGEST_ANSWER = process.KEPT // 2


class HookError(Exception):
    """The config cannot be run; the message tells its author why."""

    def __init__(self, message: str, status_code: int = 1) -> None:
        super().__init__(message)
        self.status_code = status_code


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

    def text(self) -> str:
        """The config as the text that it must be.

        :raises HookError: it is a map or a list.
        """
        if not isinstance(self.config, str):
            raise HookError("the config is not a text; give it with get_file or str_replace")
        return self.config

    def environment(self) -> dict[str, str]:
        """The inputs as variables of the environment.

        :raises HookError: one cannot be a variable; it is named.
        """
        variables = {name: deployment.as_text(value) for name, value in self.values.items()}
        for name, value in variables.items():
            _check_variable(name, value)
        return variables


def main(run: Callable[[Config], Result]) -> int:
    """Read the config, run the hook's own function, print its result.

    Whatever the function raises is a failed result: the exit status is 0,
    because the hook has answered.
    """
    # The answer is the only thing on stdout: what the hook's libraries print
    # goes to the log.
    # When the run takes too long the whole group is asked to end. The tool's end is
    # waited for, so that what it had written still becomes the result. (A handler,
    # because a tool would inherit that the signal is ignored.)
    signal.signal(signal.SIGTERM, lambda *_: None)
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    log_path = "its log"
    try:
        config = read_config(sys.stdin.buffer.read())
        log_path = f"{settings.load().logs}/{config.id}.log"
        log.conceal(redact.secrets_in(config.values))
        result = run(config)
    except HookError as error:
        log.plain(str(error))
        result = failure(f"{error}\n", error.status_code)
    except Exception as error:  # a fault of the hook must be answered too
        log.plain(repr(error))
        result = failure(f"the hook failed: {error!r}\n")
    with answer:
        answer.write(result.fitted(LARGEST_ANSWER, log_path).as_json())
    return 0


def read_config(raw: bytes) -> Config:
    """Read what the agent wrote to stdin.

    :raises HookError: it is no config.
    """
    try:
        item = json.loads(raw)
    except ValueError as error:
        raise HookError(f"stdin is not valid JSON: {error}") from None
    read = deployment.read(item)
    if read.error:
        raise HookError(read.error)
    names = [output["name"] for output in read.item["outputs"]]
    return Config(read.id, read.name, read.item["config"], read.values, names, read.item["options"])


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
    """A file with data as JSON that only root can read, and only while it is needed."""
    files.write_private(path, as_json(data))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def folder(variable: str, default: str) -> Path:
    """A private folder of the hook's, which a variable of the environment may move."""
    path = Path(os.environ.get(variable) or default)
    files.make_private_folder(path)
    return path


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    watch: Callable[[str], None] = lambda _: None,
) -> process.Completed:
    """Run the hook's tool; each line that it writes goes to the log as it comes.

    Those of stderr go to ``watch``, too: of much output only the end is kept.

    :raises HookError: it cannot be started.
    """

    def on_stderr(line: str) -> None:
        log.plain(line)
        watch(line)

    try:
        completed = process.run(
            argv,
            env=env,
            cwd=cwd,
            on_stdout=log.plain,
            on_stderr=on_stderr,
            unbroken=log.concealed(),
        )
    except (OSError, ValueError) as error:
        raise HookError(f"cannot run {argv[0]}: {error}", process.CANNOT_EXECUTE) from None
    log.plain(f"{argv[0]} {completed.ending}")
    return completed


class Tool(NamedTuple):
    """A program that a hook needs."""

    variable: str
    """The variable of the environment that names another one."""
    names: tuple[str, ...]
    """What it may be called; the first that is on the server is taken."""
    package: str
    """What to install where none is."""

    def find(self) -> str:
        """The program to run.

        :raises HookError: it is not on the server; the message names the package.
        """
        named = os.environ.get(self.variable)
        for name in [named] if named else self.names:
            if shutil.which(name):
                return name
        raise self.missing(named or " or ".join(self.names))

    def missing(self, name: str) -> HookError:
        """The error for a program that is not there."""
        return HookError(
            f"{name} is not on this server: install the package {self.package}", process.NOT_FOUND
        )


def map_of(data: object, what: str) -> dict[str, Any]:
    """A map, or the YAML of one; nothing at all is an empty one.

    :raises HookError: it is something else; ``what`` names it.
    """
    if isinstance(data, str):
        import yaml

        try:
            data = yaml.safe_load(data)
        except yaml.YAMLError as error:
            raise HookError(f"{what} is not valid YAML: {error}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise HookError(f"{what} is {kind(data)}, not a map")
    return data


def kind(value: object) -> str:
    """What a value is, in the words of YAML."""
    kinds = {dict: "a map", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def texts(value: object, what: str) -> list[str]:
    """A list of texts; one text, or a map (as ``key=value``), counts as such a list.

    :raises HookError: it is something else; ``what`` names it.
    """
    if isinstance(value, dict):
        value = [f"{key}={deployment.as_text(part)}" for key, part in value.items()]
    if value is None or isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise HookError(f"{what} is {kind(value)}, not a list")
    return [deployment.as_text(part) for part in value if part not in (None, "")]


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


def path_below(folder: Path, name: object) -> Path:
    """The path of a file that a config names.

    :raises HookError: it would lead out of the folder.
    """
    path = Path(str(name))
    if not isinstance(name, str) or path.is_absolute() or not path.name or ".." in path.parts:
        raise HookError(f"{name!r} cannot be a file below {folder}")
    return folder / path


def as_json(data: object) -> str:
    """Data as the text of a file that people read too."""
    return json.dumps(data, indent=4, sort_keys=True, default=str) + "\n"


def result(completed: process.Completed, outputs: Mapping[str, Path] | None = None) -> Result:
    """A tool's end as a result; an output that it did not write is left out."""
    stderr = text_of(completed.stderr, completed.stderr_dropped)
    if completed.returncode < 0:
        stderr += f"the tool {completed.ending}\n"
    return Result(
        status_code=completed.status,
        stdout=text_of(completed.stdout, completed.stdout_dropped),
        stderr=stderr,
        outputs={
            name: _beginning(path).decode("utf-8", "replace")
            for name, path in (outputs or {}).items()
            if path.is_file()
        },
    )


def _output_paths(prefix: Path, names: Sequence[str]) -> dict[str, Path]:
    for name in names:
        if "/" in name or "\0" in name:
            raise HookError(f"the output {name!r} cannot be a file's name: it holds a '/'")
    paths = {name: prefix.with_name(f"{prefix.name}.{name}") for name in names}
    for path in paths.values():
        path.unlink(missing_ok=True)
    return paths


def led_by(reason: str, said: str) -> str:
    """Why something has failed, and after it what was said: of much, the end.

    A result that is too large for its signal keeps the ends of its texts. What a reader
    needs first must not go with the beginning.
    """
    raw = said.encode("utf-8", "replace")
    dropped = max(len(raw) - _SAID, 0)
    return reason + text_of(raw[dropped:], dropped)


# Bytes of a text that stands behind a reason: with it far less than a signal may have.
_SAID = 65_536


def _beginning(path: Path) -> bytes:
    """An output; of one that no signal can carry, enough to tell that it is too large."""
    with path.open("rb") as file:
        return file.read(LARGEST_ANSWER + 1)


# The kernel's MAX_ARG_STRLEN: one variable with its name, in bytes.
_LONGEST_VARIABLE = 131_072


def _check_variable(name: str, value: str) -> None:
    if not name or "=" in name or "\0" in name:
        raise HookError(f"the input {name!r} cannot be a variable of the environment: rename it")
    if "\0" in value:
        raise HookError(f"the input {name!r} holds a NUL character, which no variable can")
    size = len(os.fsencode(f"{name}={value}")) + 1
    if size > _LONGEST_VARIABLE:
        raise HookError(
            f"the input {name!r} has {size} bytes; a variable of the environment may have "
            f"{_LONGEST_VARIABLE}. Put the data elsewhere and pass its address"
        )
