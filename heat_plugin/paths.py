# SPDX-License-Identifier: Apache-2.0
"""``heat-config-heat-paths``: where the files are that Heat is to be given."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHARE = Path(__file__).with_name("share")

PATHS = {
    "plugin_dirs": _SHARE / "plugin_dir",
    "environment_dir": _SHARE / "environment.d",
}
"""By the option of heat.conf that each belongs to."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print one folder, or all as lines of heat.conf; 2 for a usage that is not one."""
    parser = argparse.ArgumentParser(
        prog="heat-config-heat-paths", description="Where the files are that Heat is to be given."
    )
    parser.add_argument("option", nargs="?", choices=sorted(PATHS))
    option = parser.parse_args(sys.argv[1:] if argv is None else argv).option
    lines = [str(PATHS[option])] if option else [f"{name} = {at}" for name, at in PATHS.items()]
    print("\n".join(lines))
    return 0
