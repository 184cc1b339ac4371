# SPDX-License-Identifier: Apache-2.0
"""When to look at a queue again, and when to post metadata again. No I/O."""

from __future__ import annotations

# A tenth of a second, so that an answer after 0.3 s is seen at 0.4: a look costs the engine
# about 15 ms, and a chain of deployments waits for each of them.
SHORTEST = 0.1
# Of the time since the deployment began.
SHARE = 0.25
SHARE_LATER = 0.1
# Where the first share ends, in seconds: a program that has to start has answered by then.
EAGER = 4.0
LONGEST = 15.0
# Seconds for each deployment that waits in this engine: fifty looks a second for all of them.
EACH = 0.02

# Seconds between two posts of metadata for a deployment without an answer, at most: what the
# engine's own messages live is more.
REPOST_LONGEST = 1800.0
# A post that is known to have failed is repeated sooner.
REPOST_FAILED = 5.0


def pause(elapsed: float, waiting: int) -> float:
    """Seconds until the next look, ``elapsed`` seconds after the deployment began.

    ``waiting``: how many deployments this engine waits for. They share what it can spend.
    """
    share = SHARE if elapsed < EAGER else SHARE_LATER
    return max(min(elapsed * share, LONGEST), SHORTEST, waiting * EACH)


def next_post(first: float, times: int) -> float:
    """Seconds from one post of the metadata to the next, after it was repeated so often.

    ``first``: from the first post to the second; then twice as long each time.
    """
    return float(min(first * 2.0 ** min(times, 16), REPOST_LONGEST))


def is_post_due(since_last: float, first: float, times: int, *, failed: bool) -> bool:
    """Whether to post the metadata again for a deployment that has no answer yet."""
    return since_last >= (REPOST_FAILED if failed else next_post(first, times))
