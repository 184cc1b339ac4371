# SPDX-License-Identifier: Apache-2.0
"""What is waited out when Keystone or Zaqar does not serve a request, and for how long.

A stack waits for a cloud that is away, bounded by the stack's own timeout. It does not wait an
hour for what is set up wrongly: a refusal passes within a minute, or it is the reason of failure.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from keystoneauth1 import exceptions
from requests import RequestException
from zaqarclient.transport.errors import TransportError

from heat_config.cloud import http
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds: a Keystone or a Zaqar that is being started refuses for a moment, too.
REFUSALS = 60.0


def is_waited_out(outcome: Outcome, seconds: float) -> bool:
    """Whether to try again, ``seconds`` after the same request was first not served."""
    if outcome.is_transient:
        return True
    return outcome is Outcome.REFUSED and seconds < REFUSALS


def as_cloud_error(error: Exception, what: str) -> CloudError | None:
    """What an error of keystoneauth's, of Zaqar's client or of ours means; None for any other.

    ``what``: who was asked, for the message.
    """
    if isinstance(error, CloudError):
        return error
    if isinstance(error, exceptions.HttpError):
        found = http.from_status(error.http_status or 0, what, str(error.message))
        # The content is Heat's own: it is the user who is refused.
        outcome = Outcome.REFUSED if found.outcome.is_refusal else found.outcome
        return CloudError(str(found), outcome)
    if isinstance(error, exceptions.CatalogException | exceptions.AuthorizationFailure):
        return CloudError(f"{what}: {http.brief(str(error))}", Outcome.REFUSED)
    if isinstance(error, exceptions.ClientException):
        return http.from_silence(what, error)
    if isinstance(error, RequestException):
        return http.from_silence("Zaqar", error)
    if isinstance(error, TransportError):
        return http.from_status(error.code or 0, "Zaqar")
    return None


@contextmanager
def named(what: str) -> Iterator[None]:
    """Turn keystoneauth's errors within the block into CloudError; ``what``: who is asked."""
    try:
        yield
    except exceptions.ClientException as error:
        raise as_cloud_error(error, what) or error from None
