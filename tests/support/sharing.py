# SPDX-License-Identifier: Apache-2.0
"""How the functional tests are shared between processes that work at once.

A file's tests stay in one process, and those of the plug-in all in the same, which has their
control plane. What takes longest comes first, so that the processes end at about the same time.
"""

from __future__ import annotations

from pathlib import Path

from xdist.scheduler import LoadFileScheduling

PLUGIN = "tests/functional/heat_plugin/"
# After the plug-in's; the others follow in the order of their names.
LONGEST = (
    "test_image.py",
    "test_apply.py",
    "test_collect_service.py",
    "test_faults.py",
    "test_answers.py",
    "test_lab.py",
    "test_collect.py",
    "test_transports.py",
)


class Sharing(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Gives a process a file at a time, or all of the plug-in's."""

    def _split_scope(self, nodeid: str) -> str:
        """What is given as a whole."""
        return PLUGIN if nodeid.startswith(PLUGIN) else str(super()._split_scope(nodeid))


def turn(nodeid: str) -> int:
    """When a test's turn is: the lower, the sooner."""
    if nodeid.startswith(PLUGIN):
        return 0
    name = Path(nodeid.partition("::")[0]).name
    is_long = nodeid.startswith("tests/functional/") and name in LONGEST
    return 1 + (LONGEST.index(name) if is_long else len(LONGEST))
