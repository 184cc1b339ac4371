# SPDX-License-Identifier: Apache-2.0
"""A folder for each run, in memory, for what is secret and that only the run needs.

The agent takes it away, not the hook: a hook that is killed cannot.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import files, log
from heat_config.run.scope import Scope
from heat_config.settings import KEPT_VARIABLE, SECRETS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heat_config.settings import Settings


@contextmanager
def folder(settings: Settings, scope: Scope, config_id: str) -> Iterator[dict[str, str]]:
    """The variables that tell a run's hook where it is. Where none can be made it has none."""
    is_kept = config_id == settings.keep_of
    path = Path(settings.kept, config_id) if is_kept else Path(settings.secrets, scope.mark)
    try:
        shutil.rmtree(path, ignore_errors=True)
        files.make_private_folder(path)
    except OSError as error:
        log.warning(f"no folder for this run's secrets: {error}")
        yield {}
        return
    variables = {SECRETS_VARIABLE: str(path)}
    if is_kept:
        yield {**variables, KEPT_VARIABLE: "1"}
        log.info(f"what the run was given is in {path}, for root alone, until the next boot")
        return
    try:
        yield variables
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep(settings: Settings) -> None:
    """Remove what runs have left whose agent was killed, unless they go on without it.

    :raises OSError: a folder cannot be removed.
    """
    with suppress(FileNotFoundError):
        for path in Path(settings.secrets).iterdir():
            if not Scope.of_mark(path.name).lives():
                shutil.rmtree(path)
