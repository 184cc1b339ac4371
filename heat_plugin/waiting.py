# SPDX-License-Identifier: Apache-2.0
"""One step of an action of Heat's, made again where Keystone or Zaqar does not serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from heat.common import exception
from heat.engine import resource

from heat_plugin import trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_plugin.work import Work

# Steps of Heat's, a second each, between two tries.
_AGAIN = 2

_Made = TypeVar("_Made")


def attempt(work: Work, step: Callable[[], _Made]) -> _Made:
    """Make a step, which must be one that can be made again.

    :raises PollDelay: Heat is to call again, because the cloud did not serve it now.
    """
    try:
        made = step()
    except Exception as error:
        found = trouble.as_cloud_error(error, "Keystone")
        if found is None:
            raise
        if not work.waits_out(found):
            raise exception.Error(str(found)) from None
        raise resource.PollDelay(_AGAIN) from None
    work.went_well()
    return made
