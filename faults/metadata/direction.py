# SPDX-License-Identifier: Apache-2.0
"""What the command line of the way in runs and counts."""

from collections.abc import Callable, Sequence
from pathlib import Path

from faults import metadata
from faults.metadata import drive, schedule, world
from faults.metadata.drive import Outcome
from faults.metadata.schedule import Schedule
from faults.metadata.world import Place
from faults.nursery import Nursery
from faults.running import Direction


def _driver(_: Sequence[Schedule]) -> Callable[[Schedule, Place, Nursery, Path], Outcome]:
    return drive.run


METADATA = Direction(
    module="faults.metadata",
    description=metadata.__doc__,
    program="heat-config-collect",
    number=500,
    counted=drive.COUNTED,
    kinds=drive.KINDS,
    apart=(),
    make=schedule.make,
    places=world.places,
    driver=_driver,
)
