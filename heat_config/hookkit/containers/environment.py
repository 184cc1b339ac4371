# SPDX-License-Identifier: Apache-2.0
"""A container's variables, on their way through docker or podman.

Everybody on a server can read a program's arguments, root alone its environment and root's
files. So an argument has a variable's name only, ``--env=NAME``, and the client finds the value
in its own environment, whatever characters it has.

A variable that would change the client itself goes by a file, which must be of one line, and
which docker and some versions of podman read differently where it has quotes or a ``#``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from heat_config import files, hookkit
from heat_config.hookkit.config import check_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

# What docker, podman and the programs that they start read, beside what the hook's own
# environment has, such as PATH.
_STEERS = re.compile(
    r"""HOME | PATH | TMPDIR | (?i:(all|no|http|https)_proxy) | SSL_CERT_(FILE|DIR) | LD_\w+
    | GO(DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK) | (NOTIFY|LISTEN|DBUS|XDG)_\w+
    | DOCKER_(API|AUTH|CERT|CLI|CONFIG|CONTENT|CONTEXT|CUSTOM|DEFAULT|HIDE|HOST|TLS)(_\w+)?
    | CONTAINER_(CONNECTION|HOST|SSHKEY|TLS\w*) | _?CONTAINERS_\w+ | _LIBCONTAINER_\w+
    | PODMAN_\w+ | STORAGE_(DRIVER|OPTS) | REGISTRY_AUTH_FILE | (CNI|NETAVARK)_\w+""",
    re.VERBOSE,
)
# What every reader of such a file takes as it is.
_PLAIN = re.compile(r"""([^\s#'"`\\\x00-\x1f]([^#'"`\\\x00-\x1f]*[^\s#'"`\\\x00-\x1f])?)?""")


class Given(NamedTuple):
    """What docker or podman is given for the variables of one container."""

    arguments: list[str]
    client: dict[str, str]
    """Its own environment."""


def give(entries: Sequence[str], what: str) -> Given:
    """Hand on ``NAME=value`` by value, and ``NAME`` as the hook's own environment has it.

    :raises hookkit.HookError: a variable cannot be handed on; ``what`` says whose it is.
    """
    values = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    names = dict.fromkeys(entry.partition("=")[0] for entry in entries)
    steering = {name: value for name, value in values.items() if _steers(name)}
    client = {name: value for name, value in values.items() if name not in steering}
    check_variables(values, f"{what}: the variable")
    arguments = [f"--env={name}" for name in names if name not in steering]
    return Given([*_by_file(steering, what), *arguments], {**os.environ, **client})


def _steers(name: str) -> bool:
    return name in os.environ or _STEERS.fullmatch(name) is not None


def _by_file(variables: dict[str, str], what: str) -> list[str]:
    if not variables:
        return []
    for name, value in variables.items():
        if not _PLAIN.fullmatch(value):
            raise hookkit.HookError(
                f"{what}: the variable {name!r} means something to docker and podman too: "
                "its value may have no quote, backslash, '#', line break or space at its ends"
            )
    folder = hookkit.secrets_folder()
    path = folder / f"env.{len(list(folder.glob('env.*')))}"
    files.write_private(path, "".join(f"{name}={value}\n" for name, value in variables.items()))
    return [f"--env-file={path}"]
