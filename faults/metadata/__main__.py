# SPDX-License-Identifier: Apache-2.0
"""The way in: ``python -m faults.metadata [--seed S] [--number N] [--only K]``."""

import sys

from faults import running
from faults.metadata import direction

if __name__ == "__main__":
    sys.exit(running.main(direction.METADATA))
