# SPDX-License-Identifier: Apache-2.0
"""Found by Heat in a folder of plugin_dirs, whose modules cannot import each other."""

from heat_plugin.types import resource_mapping

__all__ = ["resource_mapping"]
