# SPDX-License-Identifier: Apache-2.0
"""Why a result was not accepted."""

from __future__ import annotations


class SignalError(Exception):
    """A result was not accepted; the message says why and what helps.

    ``retry``: whether a later try can succeed.
    ``uncertain``: whether it may have been accepted all the same: the request
    was sent, and no answer, or only a gateway's, came back.
    """

    def __init__(self, message: str, *, retry: bool = False, uncertain: bool = False) -> None:
        super().__init__(message)
        self.retry = retry
        self.uncertain = uncertain
