#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An example of a hook: the config is a text for sort(1)."""

import os
import sys

from heat_config import files, hookkit
from heat_config.result import Result


def run(config: hookkit.Config) -> Result:
    """Write the text to a private file and sort it."""
    sort = hookkit.find_tool("HEAT_SORT_CMD", ("sort",), "coreutils")
    folder = hookkit.folder("HEAT_SORT_WORKING", "/var/lib/heat-config/heat-config-sort")
    path = folder / config.id
    files.write_private(path, config.text())
    return hookkit.result(hookkit.run([sort, path], env=os.environ), {})


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
