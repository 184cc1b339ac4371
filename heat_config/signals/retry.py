# SPDX-License-Identifier: Apache-2.0
"""Try again at once what a moment's trouble has kept from being accepted."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from heat_config import log
from heat_config.cloud.errors import CloudError
from heat_config.result import failure

if TYPE_CHECKING:
    from heat_config.result import Result
    from heat_config.signals.sender import Accepted, Sender

# Tries for one result at a time, and the seconds in which they are begun. What is
# still owed then is sent later: other deployments are not held up for long.
TRIES = 4
BUDGET = 10.0
# A server whose limit is smaller than this is not one.
SMALLEST = 2_048


def until_accepted(
    sender: Sender,
    result: Result,
    log_path: str,
    first_wait: float,
    *,
    refused_before: bool = False,
) -> Accepted:
    """Send a result, a few times if need be, and smaller if it must be.

    ``refused_before``: an earlier delivery was refused. When the content is again
    what is not taken, a failure that says so goes in its place. Not the first time:
    a stray answer of a gateway must not make a failure of a good run.

    :raises CloudError: no try was accepted.
    """
    limit = sender.limit
    deadline = time.monotonic() + BUDGET
    number = 0
    refused = False
    while True:
        try:
            return sender.send(result.fitted(limit, log_path))
        except CloudError as error:
            smaller = min(limit, len(result.as_json())) // 2
            if error.too_large and smaller >= SMALLEST:
                limit = smaller
                log.warning(f"{error}; trying with at most {limit} bytes")
                continue
            if error.bad_content and refused_before and not refused:
                refused = True
                log.warning(f"{error}; sending a failure that says so")
                result = _instead(result, error, log_path)
                continue
            number += 1
            # Spread, so that a thousand servers do not come back at once.
            wait = first_wait * 2 ** (number - 1) * random.uniform(0.5, 1.5)  # noqa: S311
            if not error.retry or number == TRIES or time.monotonic() + wait > deadline:
                raise
            log.warning(f"{error}; trying again in {wait:.1f} s")
            time.sleep(wait)


def _instead(result: Result, error: CloudError, log_path: str) -> Result:
    """What can be sent in place of a result whose content is refused.

    Zaqar, for one, takes no integer of more than 64 bits.
    """
    code = result.status_code if str(result.status_code) not in ("0", "") else 1
    return failure(
        f"the run ended with status code {result.status_code}, but its result was refused: "
        f"{error}. What it wrote is on the server in {log_path}\n",
        code if isinstance(code, int) and 0 < code < 256 else 1,
    )
