#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``apply-config``: os-apply-config renders its templates from the metadata."""

import os
import sys

from heat_config import hookkit
from heat_config.result import Result

TOOL = hookkit.Tool("HEAT_APPLY_CONFIG_CMD", ("os-apply-config",), "os-apply-config")


def run(config: hookkit.Config) -> Result:  # noqa: ARG001 - it takes nothing from it
    """Run os-apply-config."""
    return hookkit.result(hookkit.run([TOOL.find()], env=os.environ))


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
