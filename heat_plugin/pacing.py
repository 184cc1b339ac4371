# SPDX-License-Identifier: Apache-2.0
"""When to look at a queue again, and when to post metadata again. No I/O."""

from __future__ import annotations

# Seconds until the first look: a program that has to start has not answered before.
FIRST = 0.1
# From then on: a chain of deployments waits for each of them.
SHORTEST = 0.05
# Of the time since the deployment began: an answer after 0.5 s is seen before 0.56.
SHARE = 0.1
# So many deployments that wait in this engine double that share: each of them costs the less.
MANY = 100
LONGEST = 15.0
# Seconds for each deployment that waits in this engine: forty looks a second for all of them.
EACH = 0.025

# A look at the queue shows what comes over the queue. Whether Heat has a result that came another
# way its database says, which costs more: it is asked after a share of the time, and at the latest
# after so many seconds.
ASKING_SHARE = 0.5
ASKING_FIRST = 1.0
ASKING_LONGEST = 30.0

# Seconds between two posts of metadata for a deployment without an answer, at most: what the
# engine's own messages live is more.
REPOST_LONGEST = 1800.0
# A post that is known to have failed is repeated sooner.
REPOST_FAILED = 5.0


def pause(elapsed: float, waiting: int) -> float:
    """Seconds until the next look, ``elapsed`` seconds after the deployment began.

    ``waiting``: how many deployments this engine waits for. They share what it can spend.
    """
    share = SHARE * (1 + (waiting - 1) / MANY)
    shortest = SHORTEST if elapsed >= FIRST else FIRST - elapsed
    return max(min(elapsed * share, LONGEST), shortest, waiting * EACH)


def is_asking_due(since_last: float, elapsed: float) -> bool:
    """Whether to ask Heat for the deployment, too, ``elapsed`` seconds after it began."""
    return since_last >= min(max(elapsed * ASKING_SHARE, ASKING_FIRST), ASKING_LONGEST)


def next_post(first: float, times: int) -> float:
    """Seconds from one post of the metadata to the next, after it was repeated so often.

    ``first``: from the first post to the second; then twice as long each time.
    """
    return float(min(first * 2.0 ** min(times, 16), REPOST_LONGEST))


def is_post_due(since_last: float, first: float, times: int, *, failed: bool) -> bool:
    """Whether to post the metadata again for a deployment that has no answer yet."""
    return since_last >= (REPOST_FAILED if failed else next_post(first, times))
