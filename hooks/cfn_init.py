#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``cfn-init``: the sections of AWS::CloudFormation::Init, by heat-cfntools."""

import json
import os
import sys
from pathlib import Path

from heat_config import files, hookkit, process
from heat_config.result import Result

# It works with Python 3.11 or earlier.
TOOL = hookkit.Tool("HEAT_CFN_INIT_CMD", ("cfn-init",), "heat-cfntools (from PyPI)")


def run(config: hookkit.Config) -> Result:
    """Write the metadata where cfn-init looks for it, and run it."""
    cfn_init = TOOL.find()
    sections = hookkit.map_of(config.config or None, "the config")
    folder = hookkit.folder("HEAT_CFN_INIT_LAST_METADATA_DIR", "/var/cache/heat-cfntools")
    metadata = json.dumps({"AWS::CloudFormation::Init": sections}, default=str)
    files.write_private(folder / "last_metadata", metadata)
    log_file = Path(os.environ.get("HEAT_CFN_INIT_LOG", "/var/log/cfn-init.log"))
    before = log_file.stat().st_size if log_file.is_file() else 0
    completed = hookkit.run([cfn_init], env=os.environ)
    result = hookkit.result(completed)
    if not result.failed:
        return result
    # It says nothing on stderr: what went wrong is in its own log.
    return result._replace(stderr=f"{result.stderr}{since(log_file, before)}")


def since(path: Path, start: int) -> str:
    """What has been written to a file after its first bytes; where that is long, its end."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(max(start, path.stat().st_size - process.KEPT // 4))
        return file.read().decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
