# SPDX-License-Identifier: Apache-2.0
"""What every transport's HTTP has in common: patience, and what an answer means."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from heat_config import readable
from heat_config.cloud.errors import AnswerTooLargeError, CloudError, Outcome
from heat_config.cloud.limits import TooLargeError

if TYPE_CHECKING:
    from requests import Response

# Seconds without a byte after which a request has failed; what it may take in all is a
# setting (heat_config.cloud.bounded).
TIMEOUT: float = 15

# urllib3's errors for a connection that was never made; NewConnectionError is also
# a name that does not resolve and a port that refuses.
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError)

_TOO_LARGE = re.compile(r"[\w ]*\bsize\b.*?(?:too large|exceeds).{0,60}")

_Error = TypeVar("_Error", bound=Exception)

# Characters of an answer's own explanation that are worth a log line.
LONGEST_REASON = 300


def from_status(status: int, what: str, reason: str = "") -> CloudError:
    """The error that an HTTP answer means."""
    detail = f": {brief(reason)}" if reason else ""
    return CloudError(f"{what} answered {status}{detail}", _outcome(status, reason))


def _outcome(status: int, reason: str) -> Outcome:
    """What is known after an answer that is no success.

    Behind a 5xx the request may have been served all the same: a gateway may have
    handed it on, a server may have done half. A redirection is what stands in between
    speaking, such as a portal: it has not handed the request on, and it passes.
    """
    if status >= 500:
        return Outcome.UNKNOWN
    if status < 400 or status in (408, 429):
        return Outcome.UNREACHABLE
    if status == 413 or (status == 400 and too_large_in(reason)):
        return Outcome.TOO_LARGE
    return Outcome.CONTENT_REFUSED if status in (400, 422) else Outcome.REFUSED


def too_large_in(reason: str) -> str:
    """Where an explanation says that a size is refused, those words; empty where it does not.

    Zaqar and Heat say 400 where others say 413: "Message collection size is too large. Max size
    262144", "JSON body size (…) exceeds maximum allowed size".
    """
    found = _TOO_LARGE.search(reason)
    return found.group().strip() if found else ""


def from_silence(what: str, error: Exception) -> CloudError:
    """The error for a request without an answer. Its text has the URL: only its kind is named."""
    too_large = _found_below(error, TooLargeError)
    if too_large:
        return AnswerTooLargeError(f"the answer of {what} is too large: {too_large}")
    outcome = Outcome.UNREACHABLE if was_not_sent(error) else Outcome.UNKNOWN
    return CloudError(f"{what} does not answer ({type(error).__name__})", outcome)


def was_not_sent(error: BaseException) -> bool:
    """Whether a request failed before any of it was sent: no connection was made."""
    return _found_below(error, *_NO_CONNECTION) is not None


def from_stranger(what: str) -> CloudError:
    """The error for a success that the service itself cannot have meant: a login page, say."""
    return CloudError(
        f"{what} gave an answer that is not the service's own: is something else there, or in "
        "between?",
        Outcome.UNKNOWN,
    )


def is_success(response: Response) -> bool:
    """Whether it is an answer to the request itself; a redirection is not."""
    return 200 <= response.status_code < 300


def json_of(response: Response) -> Any:
    """What an answer holds, without what nobody on a server could read.

    :raises ValueError: it is no JSON.
    """
    return readable.loads(response.content or b"")


def is_json(response: Response) -> bool:
    """Whether the answer's body is JSON."""
    try:
        json_of(response)
    except ValueError:
        return False
    return True


def brief(reason: str) -> str:
    """An explanation as one line of sensible length: some are whole HTML pages."""
    line = " ".join(reason.split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


def untrusted(what: str, error: Exception) -> CloudError:
    """The error for a connection that TLS has refused, with its remedy.

    Without a certificate that verifies nothing was sent. Other faults, such as a broken
    record, come after the request, too.
    """
    # Only what OpenSSL said is repeated: the other texts repeat the URL with its signature.
    cause = _found_below(error, ssl.SSLError)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        detail = cause.reason if cause else type(error).__name__
        return CloudError(f"TLS with {what} failed ({detail})", Outcome.UNKNOWN)
    return CloudError(
        f"the certificate of {what} does not verify: {cause.verify_message.rstrip('.')}. If its "
        "authority is your own, add it to the system's store or name its file in "
        "HEAT_CONFIG_CA_FILE (for metadata: ca_file in the section zaqar, too)",
        Outcome.UNREACHABLE,
    )


def _found_below(error: object, *kinds: type[_Error]) -> _Error | None:
    """The error of these kinds of which urllib3, requests and keystoneauth have made another."""
    while isinstance(error, BaseException) and not isinstance(error, kinds):
        error = _below(error)
    return error if isinstance(error, kinds) else None


def _below(error: BaseException) -> object:
    """The error that this one was made of, by urllib3, requests or keystoneauth."""
    below = (getattr(error, "reason", None), *error.args, error.__context__)
    return next((each for each in below if isinstance(each, Exception)), None)
