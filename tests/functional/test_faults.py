# SPDX-License-Identifier: Apache-2.0
"""A few of the fault schedules, always the same; `make faults` runs as many as you like."""

from __future__ import annotations

import subprocess
import sys

from lab import Lab
from tests.support.checkout import REPOSITORY


def report(lab: Lab, module: str, *options: str) -> tuple[dict[str, str], str]:
    """What a run that has found nothing says: its counts by their names, and its last line."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *options, "--lab", lab.directory],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line), lines[-1]


def test_nothing_is_lost_duplicated_run_twice_or_unanswered(lab: Lab) -> None:
    counts, last = report(lab, "faults", "--seed", "1", "--number", "16", "--jobs", "4")
    assert last.startswith("schedules: 16, deployments: ")
    assert last.endswith("lost: 0, duplicated: 0, run twice: 0, unanswered: 0")
    # They were broken for good: not one kind of fault alone, and not in the air only.
    assert counts["requests"].count(",") >= 5
    assert not counts["crashes"].startswith("at 0 ")
    assert int(counts["signed"]) > 0


def test_the_newest_metadata_is_applied_and_nothing_older_after_it(lab: Lab) -> None:
    counts, last = report(lab, "faults.metadata", "--seed", "2", "--number", "20")
    assert last.startswith("schedules: 20, ")
    assert last.endswith("lost: 0, older: 0, left: 0, hung: 0, raised: 0")
    assert "killed: 0," not in last
    assert not counts["crashes"].startswith("at 0 ")
