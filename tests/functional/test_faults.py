# SPDX-License-Identifier: Apache-2.0
"""A few of the fault schedules, always the same; `make faults` runs as many as you like."""

from __future__ import annotations

import subprocess
import sys

from lab import Lab
from tests.support.checkout import REPOSITORY


def report(lab: Lab, module: str, *options: str) -> list[str]:
    """The lines of a run that has found nothing."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *options, "--lab", lab.directory],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines()


def test_nothing_is_lost_duplicated_run_twice_or_unanswered(lab: Lab) -> None:
    lines = report(lab, "faults", "--seed", "1", "--number", "16", "--jobs", "4")
    last = lines[-1]
    assert last.startswith("schedules: 16, deployments: ")
    assert last.endswith("lost: 0, duplicated: 0, run twice: 0, unanswered: 0")
    # They were broken for good: not one kind of fault alone, and not in the air only.
    requests, crashes = lines[-4:-2]
    assert requests.startswith("requests: ") and requests.count(",") >= 5
    assert not crashes.startswith("crashes: at 0 ")


def test_the_newest_metadata_is_applied_and_nothing_older_after_it(lab: Lab) -> None:
    *_, crashes, last = report(lab, "faults.metadata", "--seed", "2", "--number", "20")
    assert last.startswith("schedules: 20, ")
    assert last.endswith("lost: 0, older: 0, left: 0, hung: 0, raised: 0")
    assert "killed: 0," not in last
    assert not crashes.startswith("crashes: at 0 ")
