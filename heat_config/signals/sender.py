# SPDX-License-Identifier: Apache-2.0
"""What every transport does: send one result, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from heat_config.result import Result


class Accepted(NamedTuple):
    """Where a result was accepted."""

    target: str
    """Its address, fit for a log."""
    leaves_copy: bool = False
    """A copy may turn up on the deployment's queue and must be removed there."""


class Sender(Protocol):
    """One deployment's way back to Heat."""

    limit: int
    """The size in bytes that a result may have as ASCII JSON."""
    doubt: bool
    """Whether an earlier try may have arrived."""
    heat_doubt: bool
    """Whether Heat may have it by another way than its own."""

    def send(self, result: Result) -> Accepted:
        """Send a result that is within the limit.

        :raises CloudError: it was not accepted, or nobody knows.
        """

    def clean(self) -> None:
        """Remove a copy that Heat did not take.

        :raises CloudError: nobody knows whether there is one.
        """
