# SPDX-License-Identifier: Apache-2.0
"""What the command line of the way out runs and counts."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from faults import results
from faults.nursery import Nursery
from faults.results import drawing, drive, judge, world
from faults.results.drive import Outcome
from faults.results.schedule import REBOOT, Schedule
from faults.results.world import Place
from faults.running import Direction
from lab.image import build_tar, unpack


def _driver(
    schedules: Sequence[Schedule],
) -> Callable[[Schedule, Place, Nursery, Path], Outcome]:
    """Build what the booted servers are booted from, if there are any."""
    boots = any(each.family == REBOOT for each in schedules)
    return partial(drive.run, image=unpack(build_tar()) if boots else Path())


RESULTS = Direction(
    module="faults",
    description=results.__doc__,
    program="heat-config",
    number=200,
    counted=("deployments",),
    kinds=judge.KINDS,
    apart=(*judge.COUNTED, judge.WINDOW),
    make=drawing.make,
    places=world.places,
    driver=_driver,
)
