# SPDX-License-Identifier: Apache-2.0
"""What befalls a request on its way, by what it means."""

from __future__ import annotations

import pytest

from heat_config.cloud.errors import Outcome
from lab.wire import GARBAGE, LOSE_ANSWER, RESET, STALL, Action, Reply, answer

# The request has not reached the service, and a later one may.
PASSING = {
    "reset": RESET,
    "no HTTP": GARBAGE,
    "stall": STALL,
    "429": answer(429),
    "500": answer(500),
    "502": answer(502, b"<html>Bad Gateway</html>"),
    "503": answer(503),
    "504": answer(504),
}
# The service has served the request, and whoever has sent it does not know.
AMBIGUOUS = {
    "reset": LOSE_ANSWER,
    "no HTTP": Action(True, GARBAGE.reply),
    "stall": Action(True, Reply.STALL),
    "500": answer(500, forward=True),
    "502": answer(502, forward=True),
    "504": answer(504, forward=True),
}
# Nothing that a later try would change.
REFUSED = {
    "401": answer(401),
    "403": answer(403),
    "404": answer(404),
}
# The result itself is refused; another may be accepted.
BAD_CONTENT = {
    "400": answer(400, b'{"title": "Bad", "description": "no such thing"}'),
}
# What is in between answers in the service's name.
NOT_THE_SERVICE = {
    "login page": answer(200, b"<html>Please log in</html>"),
    "nothing": answer(200),
}


def known_after(action: Action) -> Outcome:
    """What is known after trouble on the way: only a 429 says that nothing was done."""
    return Outcome.UNREACHABLE if action.status == 429 else Outcome.UNKNOWN


def each(actions: dict[str, Action]) -> pytest.MarkDecorator:
    """Run a test with each of these as its ``action``."""
    return pytest.mark.parametrize("action", actions.values(), ids=actions.keys())
