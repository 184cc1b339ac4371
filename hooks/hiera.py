#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``hiera``: the hierarchy and the data of Hiera, which Puppet reads.

``hierarchy`` is a list of names, the first of which counts first; ``datafiles`` a
map of names to data. With the action DELETE the data files are removed.
"""

import os
import sys
from pathlib import Path
from typing import Any

from heat_config import files, hookkit
from heat_config.hookkit.tool import not_used
from heat_config.result import Result


def run(config: hookkit.Config) -> Result:
    """Write what the config has of the two; what it does not name stays."""
    not_used("HEAT_HIERA_ELEMENT_CHECK_CMD", "data of the retired element hiera hinder nothing")
    wanted = hookkit.map_of(config.config, "the config")
    folder = Path(os.environ.get("HEAT_PUPPET_HIERA_DATADIR") or "/etc/puppet/hieradata")
    path = Path(os.environ.get("HEAT_HIERA_CONFIG") or "/etc/puppet/hiera.yaml")
    data = hookkit.map_of(wanted.get("datafiles"), "'datafiles'")
    targets = {hookkit.path_below(folder, f"{name}.json"): each for name, each in data.items()}
    hierarchy = hookkit.texts(wanted.get("hierarchy"), "'hierarchy'")
    if config.is_deletion:
        for target in targets:
            target.unlink(missing_ok=True)
        return Result(0)
    for target, each in targets.items():
        files.make_private_folder(target.parent)
        files.write_durably(target, hookkit.as_json(each))
    if hierarchy:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_durably(path, hookkit.as_json(hiera5(hierarchy, folder)))
    return Result(0)


def hiera5(hierarchy: list[str], folder: Path) -> dict[str, Any]:
    """Hiera's configuration, version 5, which is YAML and so may be JSON.

    In version 3 a name that begins with ``%`` had to be quoted by the template's author.
    """
    names = [name.strip("\"'") for name in hierarchy]
    return {
        "version": 5,
        "defaults": {"datadir": str(folder), "data_hash": "json_data"},
        "hierarchy": [{"name": name, "path": f"{name}.json"} for name in names],
    }


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
