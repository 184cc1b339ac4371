# SPDX-License-Identifier: Apache-2.0
"""All that is measured: a module for each row of the table, or for a few that come of one run.

A module measures with what it is given, and yields its figures: ``measure(given)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from bench.figure import Figure
from bench.given import Given
from bench.rows import chain, follow, idle, image, output, quiet


class Row(NamedTuple):
    """A name to ask for it, and what measures it."""

    name: str
    measure: Callable[[Given], Iterable[Figure]]


ROWS = (
    Row("idle", idle.measure),
    Row("output", output.measure),
    Row("image", image.measure),
    Row("quiet", quiet.measure),
    Row("chain", chain.measure),
    Row("follow", follow.measure),
)
