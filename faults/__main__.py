# SPDX-License-Identifier: Apache-2.0
"""The way out: ``python -m faults [--seed S] [--number N] [--only K]``."""

import sys

from faults import running
from faults.results import direction

if __name__ == "__main__":
    running.in_own_namespace("faults")
    sys.exit(running.main(direction.RESULTS))
