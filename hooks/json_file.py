#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``json-file``: a map of paths, and the data that each file shall hold as JSON.

With the action DELETE the files are removed.
"""

import sys
from pathlib import Path

from heat_config import files, hookkit
from heat_config.result import Result

# Others may read it, as they may what a hook for this group has always written.
READABLE = 0o644


def run(config: hookkit.Config) -> Result:
    """Write all files or, when one of the paths cannot be meant, none."""
    wanted = hookkit.map_of(config.config, "the config")
    for name in wanted:
        if not isinstance(name, str) or not name.startswith("/") or name.endswith("/"):
            raise hookkit.HookError(f"{name!r} is not the absolute path of a file")
    for name, data in wanted.items():
        path = Path(name)
        if config.is_deletion:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o7777 if path.exists() else READABLE
        files.write_durably(path, hookkit.as_json(data), mode=mode)
    return Result(0)


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
