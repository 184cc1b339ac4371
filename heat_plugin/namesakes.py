# SPDX-License-Identifier: Apache-2.0
"""Which of a stack's deployments of one name a signal is for.

A signal names its resource. While Heat replaces a resource, its database has two of that name, and
``heat/db/api.py``, ``resource_get_all_by_stack``, reads them without an order and keeps the last:
with PostgreSQL that may be the one that is replaced. It waits for nothing, ignores the signal, and
Heat answers the server with success: the new one then waits until the stack times out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def waiting(
    own: str, all_of_name: Callable[[], Iterable[str | None]], waits: Callable[[str], bool]
) -> str:
    """The id of the deployment that waits for a result; ``own``, which was signalled, if none does.

    The others are asked for only where that one does not wait.
    """
    if waits(own):
        return own
    others = (each for each in all_of_name() if each and each != own)
    return next((each for each in others if waits(each)), own)
