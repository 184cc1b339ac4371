# SPDX-License-Identifier: Apache-2.0
"""Why a request to the cloud has failed."""

from __future__ import annotations


class CloudError(Exception):
    """A request was not served; the message says why and what helps.

    ``retry``: a moment's trouble, for which a later try makes sense. Without it
    the answer was a refusal.
    ``uncertain``: it may have been served all the same: the request was sent,
    and no answer, or only a gateway's, came back.

    Of a result that was to be accepted:

    ``too_large``: a smaller one may be.
    ``bad_content``: another result may be accepted, one that says why this was not.
    ``hopeless``: no try can ever succeed, because the address is none.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool = False,
        uncertain: bool = False,
        too_large: bool = False,
        bad_content: bool = False,
        hopeless: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.uncertain = uncertain
        self.too_large = too_large
        self.bad_content = bad_content
        self.hopeless = hopeless
