# SPDX-License-Identifier: Apache-2.0
"""One program for each group, and the rule which program is which group's: here and nowhere else.

The program of the group ``docker-cmd`` is the module ``docker_cmd.py``. A server has it under the
group's name, without the ending, in ``/usr/libexec/heat-config/hooks``: so the element
``heat-config-docker-cmd`` installs it.

An image build reads this too, on the host's own Python: it needs the standard library alone.
"""

from __future__ import annotations

from pathlib import Path


def programs() -> dict[str, Path]:
    """Each group's program, by group."""
    folder = Path(__file__).resolve().parent
    return {path.stem.replace("_", "-"): path for path in sorted(folder.glob("[!_]*.py"))}
