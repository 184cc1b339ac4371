# SPDX-License-Identifier: Apache-2.0
"""The tools of other elements that need an environment of their own."""

from __future__ import annotations

from pathlib import Path


def tools_in(hooks: Path) -> list[Path]:
    """Return the folders ``heat-config-tools/NAME`` among what dib has merged of all elements."""
    return sorted(path for path in (hooks / "heat-config-tools").glob("*") if path.is_dir())
