# SPDX-License-Identifier: Apache-2.0
"""What every transport's HTTP has in common: patience, trust, and what an answer means."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from heat_config.cloud.errors import CloudError

if TYPE_CHECKING:
    from requests import Response

    from heat_config.settings import Settings

# Seconds without a byte after which a request is given up.
TIMEOUT: float = 15

# urllib3's errors for a connection that was never made; NewConnectionError is also
# a name that does not resolve and a port that refuses.
_NO_CONNECTION = (NewConnectionError, ConnectTimeoutError)

_TOO_LARGE = re.compile("size.*(too large|exceeds)")

# Where distributions keep their bundle: Debian and Ubuntu, RHEL and Fedora, SUSE.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)


# Characters of an answer's own explanation that are worth a log line.
LONGEST_REASON = 300


def verify(settings: Settings) -> str | bool:
    """What requests' ``verify`` must be.

    Left to itself requests trusts the bundle of the package certifi, to which
    an operator's own authority is never added.

    :raises CloudError: the file that the operator names holds no certificates.
    """
    if settings.insecure:
        return False
    if settings.ca_file:
        _check(settings.ca_file)
        return settings.ca_file
    known = (ssl.get_default_verify_paths().cafile, *BUNDLES)
    return next((path for path in known if path and Path(path).is_file()), True)


def _check(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl's own errors are among them
        raise CloudError(
            f"no certificates can be read of {ca_file}, which HEAT_CONFIG_CA_FILE or ca_file in "
            f"the section zaqar names: {error}"
        ) from None


def from_status(status: int, what: str, reason: str = "") -> CloudError:
    """The error that an HTTP answer means.

    408, 429 and 5xx pass. Behind a 5xx the request may have been served all the
    same: a gateway may have handed it on, a server may have done half. Zaqar and
    Heat say 400 where others say 413: "Message collection size is too large",
    "JSON body size (…) exceeds maximum allowed size".
    """
    detail = f": {brief(reason)}" if reason else ""
    too_large = status == 413 or (status == 400 and _TOO_LARGE.search(reason) is not None)
    return CloudError(
        f"{what} answered {status}{detail}",
        retry=status in (408, 429) or status >= 500,
        uncertain=status >= 500,
        too_large=too_large,
        # One that is small already gains nothing from being replaced by another.
        bad_content=not too_large and status in (400, 422),
    )


def was_not_sent(error: BaseException) -> bool:
    """Whether a request failed before any of it was sent: no connection was made."""
    found: object = error
    while isinstance(found, BaseException) and not isinstance(found, _NO_CONNECTION):
        found = _below(found)
    return isinstance(found, _NO_CONNECTION)


def from_stranger(what: str) -> CloudError:
    """The error for a success that the service itself cannot have meant: a login page, say."""
    return CloudError(
        f"{what} gave an answer that is not the service's own: is something else there, or in "
        "between?",
        retry=True,
        uncertain=True,
    )


def is_json(response: Response) -> bool:
    """Whether the answer's body is JSON."""
    try:
        response.json()
    except ValueError:
        return False
    return True


def brief(reason: str) -> str:
    """An explanation as one line of sensible length: some are whole HTML pages."""
    line = " ".join(reason.split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


def untrusted(what: str, error: Exception) -> CloudError:
    """The error for a connection that TLS has refused, with its remedy."""
    cause = _openssl_error(error)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        detail = cause.reason if cause else type(error).__name__
        return CloudError(f"TLS with {what} failed ({detail})", retry=True)
    return CloudError(
        f"the certificate of {what} does not verify: {cause.verify_message.rstrip('.')}. If its "
        "authority is your own, add it to the system's store or name its file in "
        "HEAT_CONFIG_CA_FILE (for metadata: ca_file in the section zaqar, too)",
        retry=True,
    )


def _openssl_error(error: object) -> ssl.SSLError | None:
    """What OpenSSL said, below the errors that urllib3, requests and keystoneauth make of it.

    Only that is told: the texts of the others repeat the URL with its signature.
    """
    while isinstance(error, BaseException) and not isinstance(error, ssl.SSLError):
        error = _below(error)
    return error if isinstance(error, ssl.SSLError) else None


def _below(error: BaseException) -> object:
    """The error that this one was made of, by urllib3, requests or keystoneauth."""
    below = (getattr(error, "reason", None), *error.args, error.__context__)
    return next((each for each in below if isinstance(each, Exception)), None)
