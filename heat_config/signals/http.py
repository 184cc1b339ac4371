# SPDX-License-Identifier: Apache-2.0
"""What every transport's HTTP has in common: patience, trust, and what an answer means."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config.signals.errors import SignalError

if TYPE_CHECKING:
    from requests import Response

    from heat_config.settings import Settings

# Seconds without a byte after which a request is given up.
TIMEOUT = 30

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

    :raises SignalError: the file that the operator names holds no certificates.
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
        raise SignalError(
            f"HEAT_CONFIG_CA_FILE names {ca_file}, of which no certificates can be read: {error}"
        ) from None


def from_status(status: int, what: str, reason: str = "") -> SignalError:
    """The error that an HTTP answer means.

    408, 429 and 5xx pass; of these, 502 and 504 come from a gateway that may
    have handed the request on, and 500 from a server that may have done half.
    """
    retry = status in (408, 429) or status >= 500
    detail = f": {brief(reason)}" if reason else ""
    return SignalError(
        f"{what} answered {status}{detail}", retry=retry, uncertain=status in (500, 502, 504)
    )


def from_stranger(what: str) -> SignalError:
    """The error for a success that the service itself cannot have meant: a login page, say."""
    return SignalError(
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


def untrusted(what: str, error: Exception) -> SignalError:
    """The error for a connection that TLS has refused, with its remedy."""
    cause = _openssl_error(error)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        detail = cause.reason if cause else type(error).__name__
        return SignalError(f"TLS with {what} failed ({detail})", retry=True)
    return SignalError(
        f"the certificate of {what} does not verify: {cause.verify_message.rstrip('.')}. If its "
        "authority is your own, add it to the system's store or name its file in "
        "HEAT_CONFIG_CA_FILE",
        retry=True,
    )


def _openssl_error(error: object) -> ssl.SSLError | None:
    """What OpenSSL said, below the errors that urllib3, requests and keystoneauth make of it.

    Only that is told: the texts of the others repeat the URL with its signature.
    """
    while isinstance(error, Exception) and not isinstance(error, ssl.SSLError):
        below = (getattr(error, "reason", None), *error.args, error.__context__)
        error = next((each for each in below if isinstance(each, Exception)), None)
    return error if isinstance(error, ssl.SSLError) else None
