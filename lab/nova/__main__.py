# SPDX-License-Identifier: Apache-2.0
"""The command line: python3 -m lab.nova, which installs the services' Python environment."""

import sys

from .. import venv
from ..errors import LabError
from . import profile


def main() -> int:
    """Install it; a LabError becomes its message and status 1."""
    try:
        made = venv.install(profile.VENV, profile.REQUIREMENTS)
    except LabError as error:
        print(f"lab.nova: {error}", file=sys.stderr)
        return 1
    print(f"{profile.VENV} {'installed' if made else 'is up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
