# SPDX-License-Identifier: Apache-2.0
"""What a queue loses or does not take: a storage that forgets, a day, names, sizes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from compare.side import PATIENCE, Served, Side, judged
from compare.verdict import Verdict
from tests.support.answering import unique
from tests.support.forgetting import forget_everything

# Seconds after which the plug-in posts metadata again, and what a busy machine adds.
POSTED_AGAIN = 330.0
# Seconds that what Zaqar signs for a day lives here.
A_DAY = 20
# Bytes of one config that compresses well: more than one message takes.
LARGE = 300_000

METADATA_FORGOTTEN = "Redis emptied before the server has read its metadata"


def cases(side: Side) -> Iterator[tuple[str, Verdict]]:
    """All of them that take seconds."""
    yield "Redis emptied before Heat has read the result", judged(result_forgotten, side)
    yield "stack and resource names of 100 characters and more, with dots", judged(long_names, side)
    yield "300 KB of metadata that compress well", judged(large_metadata, side)


def cases_of_later(side: Side) -> Iterator[tuple[str, Verdict]]:
    """The one for which Zaqar is started again: others would see that."""
    yield "update after a day (lives shortened)", judged(update_after_a_day, side)


def long_names(side: Side) -> Verdict:
    """A stack and a resource with long names, and dots in them."""
    made = side.template()
    name = f"{'a.long-name_' * 12}x"
    made["resources"][name] = made["resources"].pop("step_deployment")
    made["outputs"] = {"server": made["outputs"]["server"]}
    return Served(side.create(made, f"long.{unique()}.{'s' * 80}")).ended("CREATE")


def large_metadata(side: Side) -> Verdict:
    """300 KB of a config that compresses to a few."""
    made = side.template()
    line = "# the same line again and again\n"
    made["resources"]["step_config"]["properties"]["config"] = line * (LARGE // len(line))
    return Served(side.create(made)).ended("CREATE")


def result_forgotten(side: Side) -> Verdict:
    """Redis is emptied between the server's post and Heat's look."""
    served = Served(side.create(side.template()))
    item = served.told()
    with side.lab.frozen("heat"):
        served.place.answer(item)
        forget_everything(side.lab)
    return served.ended("CREATE")


class MetadataForgotten:
    """Redis is emptied between Heat's post and the server's look; the rest takes minutes."""

    def __init__(self, side: Side) -> None:
        self._served = Served(side.create(side.template(), minutes=30))
        # The program in the server's place does not look yet.
        self._served.stack.wait_for_server()
        _wait_for_the_post(side, self._served)
        self._emptied = time.monotonic()
        forget_everything(side.lab)

    def verdict(self) -> Verdict:
        """Wait until the metadata would be there again, and for the stack."""
        left = POSTED_AGAIN - (time.monotonic() - self._emptied)
        ended = self._served.ended("CREATE", max(left, PATIENCE))
        taken = time.monotonic() - self._emptied
        return (
            Verdict(ended.passed, f"complete, seen {taken:.0f} s later") if ended.passed else ended
        )


def update_after_a_day(side: Side) -> Verdict:
    """What Zaqar signs for a day lives some seconds here; an update comes after that."""
    lab = side.lab
    lab.stop("zaqar")
    lab.start("zaqar", UWSGI_IMPORT="lab.short_lives", LAB_SIGNED_FOR=str(A_DAY))
    try:
        served = side.created(side.template())
        time.sleep(A_DAY + 1)
        served.stack.update(side.template("second"))
        return served.ended("UPDATE")
    finally:
        lab.stop("zaqar")
        lab.start("zaqar")


def _wait_for_the_post(side: Side, served: Served) -> None:
    """Wait until Heat has posted the deployment: its resource has an id after that."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: Any = side.heat.api.resources.get(served.stack.id, "step_deployment")
        if found.physical_resource_id:
            time.sleep(2)
            return
        time.sleep(0.2)
    raise TimeoutError("the deployment was not begun")
