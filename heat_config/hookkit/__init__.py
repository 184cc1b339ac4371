# SPDX-License-Identifier: Apache-2.0
"""What the hooks share.

A hook is a program: the config as JSON on stdin, one JSON object on stdout, log
lines on stderr, exit status 0. Its own code is one function from a
:class:`Config` to a :class:`~heat_config.result.Result`; :func:`main` is the rest.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from heat_config import log, settings
from heat_config.data import kind
from heat_config.hookkit.config import Config, read_config
from heat_config.hookkit.folders import (
    Workplace,
    folder,
    path_below,
    secret_file,
    secrets_folder,
    workplace,
    write_files,
)
from heat_config.hookkit.tool import LARGEST_ANSWER, Reasons, Tool, led_by, result, run
from heat_config.hookkit.values import (
    HookError,
    as_json,
    as_yaml,
    map_of,
    parsed,
    texts,
    words,
)
from heat_config.result import Result, failure

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LARGEST_ANSWER",
    "Config",
    "HookError",
    "Reasons",
    "Tool",
    "Workplace",
    "as_json",
    "as_yaml",
    "folder",
    "kind",
    "led_by",
    "main",
    "map_of",
    "parsed",
    "path_below",
    "read_config",
    "result",
    "run",
    "secret_file",
    "secrets_folder",
    "texts",
    "words",
    "workplace",
    "write_files",
]


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
        log.conceal(config.secrets)
        result = run(config)
    except HookError as error:
        log.plain(str(error))
        result = failure(f"{error}\n", error.status_code)
    except Exception as error:  # a fault of the hook must be answered too
        log.plain(repr(error))
        result = failure(f"the hook failed: {error!r}\n")
    with answer:
        # Masked before it is cut: half a secret would not be.
        answer.write(result.masked(log.masked).fitted(LARGEST_ANSWER, log_path).as_json())
    return 0
