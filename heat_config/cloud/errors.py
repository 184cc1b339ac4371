# SPDX-License-Identifier: Apache-2.0
"""What came of a request to the cloud, and the error for one that was not served."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """What is known after a request: each answer, and each lack of one, is one of these."""

    ACCEPTED = "accepted"
    PRESENT = "present"
    """What was looked for is there."""
    ABSENT = "absent"
    """What was looked for is not there."""
    ACKNOWLEDGED = "acknowledged"
    """What was looked for is there no more, and Heat says that it has it."""
    UNREACHABLE = "unreachable"
    """Certainly not served, and a later request may be: no connection, 408, 429."""
    UNKNOWN = "unknown"
    """It may have been served: it was sent, and no answer, or only a gateway's, came back."""
    REFUSED = "refused"
    """Certainly not served: the other side understood it and says no."""
    CONTENT_REFUSED = "content refused"
    """Refused for what it holds: another content may be accepted."""
    TOO_LARGE = "too large"
    """Refused for its size: a smaller one may be accepted."""
    WRONG_HERE = "wrong here"
    """Not sent: something on this server must be mended first, such as a missing CA file."""
    UNUSABLE = "unusable"
    """Not sent, and never can be: the address is malformed or incomplete."""

    @property
    def is_transient(self) -> bool:
        """Whether the same request may be served a moment later."""
        return self in (Outcome.UNREACHABLE, Outcome.UNKNOWN)

    @property
    def is_refusal(self) -> bool:
        """Whether the other side has said no."""
        return self in (Outcome.REFUSED, Outcome.CONTENT_REFUSED, Outcome.TOO_LARGE)


class CloudError(Exception):
    """A request was not served; the message says why and what helps."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


class AnswerTooLargeError(CloudError):
    """An answer was left where it became too large; the request may have been served."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Outcome.UNKNOWN)
