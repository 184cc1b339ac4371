#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``script``: a program of any language, with the inputs in its environment.

Outputs are the files ``$heat_outputs_path.<name>`` that the script writes.
"""

import os
import shutil
import sys
from pathlib import Path

from heat_config import files, hookkit, process
from heat_config.result import Result


def run(config: hookkit.Config) -> Result:
    """Write the script to a file and run it."""
    place = hookkit.workplace("script", config)
    interpreter = find_interpreter(config)
    script = place.folder / config.id
    files.write_private(script, config.text(), mode=0o700)
    environment = {**os.environ, **config.environment(), "heat_outputs_path": str(place.prefix)}
    folder = find_folder(config, place.folder)
    completed = hookkit.run([*interpreter, script], env=environment, cwd=folder)
    return hookkit.result(completed, place.outputs)


def find_interpreter(config: hookkit.Config) -> list[str]:
    """What runs the script: the option's command, or what its first line says, or a shell.

    :raises hookkit.HookError: the interpreter is not there.
    """
    wanted = hookkit.words(config.options.get("interpreter"), "option interpreter")
    if wanted and not shutil.which(wanted[0]):
        raise missing(f"interpreter {wanted[0]!r}")
    if wanted:
        return wanted
    first, _, _ = config.text().partition("\n")
    if not first.startswith("#!"):
        return ["/bin/sh"]
    if first.endswith("\r"):
        raise hookkit.HookError(
            "the script's first line ends with a carriage return: save it with Unix line ends",
            process.NOT_FOUND,
        )
    words = first.removeprefix("#!").split(maxsplit=1)  # as the kernel reads it
    if not words or not os.access(words[0], os.X_OK) or Path(words[0]).is_dir():
        raise missing(f"interpreter, {first!r},")
    return []


def missing(what: str) -> hookkit.HookError:
    """The error for an interpreter that cannot be used."""
    return hookkit.HookError(f"the script's {what} is not on this server", process.NOT_FOUND)


def find_folder(config: hookkit.Config, own: Path) -> Path:
    """The folder of the option ``cwd``, or the hook's own, at which a relative one starts.

    :raises hookkit.HookError: it is none.
    """
    wanted = config.options.get("cwd") or own
    if not (own / str(wanted)).is_dir():
        raise hookkit.HookError(f"option cwd is {wanted!r}, not a folder of this server")
    return own / str(wanted)


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
