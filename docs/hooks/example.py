#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An example of a hook: the config is a text whose lines sort(1) puts in order.

The option ``reverse`` turns the order round. The output ``first`` is the first line.
With the action DELETE the sorted text is removed.
"""

import os
import sys

from heat_config import hookkit
from heat_config.result import Result

TOOL = hookkit.Tool("HEAT_SORT_CMD", ("sort",), "coreutils")


def run(config: hookkit.Config) -> Result:
    """Write the text to a private file and sort it in its place."""
    place = hookkit.workplace("sort", config)
    path = hookkit.path_below(place.folder, config.name)
    if config.is_deletion:
        path.unlink(missing_ok=True)
        return Result(0)
    hookkit.write_files(place.folder, {config.name: config.text()})
    order = ["--reverse"] if config.flag("reverse") else []
    argv = [TOOL.find(), *order, f"--output={path}", str(path)]
    completed = hookkit.run(argv, env=os.environ, cwd=place.folder)
    result = hookkit.result(completed, place.outputs)
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    return result._replace(outputs={"first": first})


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
