# SPDX-License-Identifier: Apache-2.0
"""Where heat-config-collect begins, whose service is idle most of its life on every server."""

from heat_config import lean

with lean.imports():
    from heat_config.collect.loop import main

__all__ = ["main"]
