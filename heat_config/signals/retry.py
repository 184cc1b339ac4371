# SPDX-License-Identifier: Apache-2.0
"""Try again what a moment's trouble has kept from being accepted."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from heat_config import log
from heat_config.signals.errors import SignalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat_config.result import Result

# Tries for one result within one run of the agent. What is still owed then is
# sent by a later one: the other deployments are not held up for long.
TRIES = 4
# Seconds before the second try; each further wait is twice as long.
FIRST_WAIT = 0.5


def until_accepted(send: Callable[[Result], str], result: Result) -> str:
    """Send a result, a few times if need be; return where it went.

    :raises SignalError: no try was accepted, or no later one can be.
    """
    for number in range(TRIES):
        try:
            return send(result)
        except SignalError as error:
            if not error.retry or number == TRIES - 1:
                raise
            # Spread, so that a thousand servers do not come back at once.
            wait = FIRST_WAIT * 2**number * random.uniform(0.5, 1.5)  # noqa: S311
            log.warning(f"{error}; trying again in {wait:.1f} s")
            time.sleep(wait)
    raise AssertionError  # the last try returned or raised
