# SPDX-License-Identifier: Apache-2.0
"""``heat-config-heat-paths``: where the files are that Heat, or a stack, is to be given."""

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

FOR_STACKS = {"users": _SHARE / "stack" / "heat-config-users.yaml"}
"""By a word of ours: environments that are given to one stack."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print one path, or all of heat.conf as its lines; 2 for a usage that is not one."""
    parser = argparse.ArgumentParser(
        prog="heat-config-heat-paths",
        description="Where the files are that Heat, or a stack, is to be given.",
    )
    known = {**PATHS, **FOR_STACKS}
    parser.add_argument("option", nargs="?", choices=sorted(known))
    option = parser.parse_args(sys.argv[1:] if argv is None else argv).option
    lines = [str(known[option])] if option else [f"{name} = {at}" for name, at in PATHS.items()]
    print("\n".join(lines))
    return 0
