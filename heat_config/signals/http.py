# SPDX-License-Identifier: Apache-2.0
"""What every transport's HTTP has in common: patience, trust, and what an answer means."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config.signals.errors import SignalError

if TYPE_CHECKING:
    from heat_config.settings import Settings

# Seconds without a byte after which a request is given up.
TIMEOUT = 30

# Where distributions keep their bundle: Debian and Ubuntu, RHEL and Fedora, SUSE.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)


def verify(settings: Settings) -> str | bool:
    """What requests' ``verify`` must be.

    Left to itself requests trusts the bundle of the package certifi, to which
    an operator's own authority is never added.
    """
    if settings.insecure:
        return False
    if settings.ca_file:
        return settings.ca_file
    known = (ssl.get_default_verify_paths().cafile, *BUNDLES)
    return next((path for path in known if path and Path(path).is_file()), True)


def from_status(status: int, what: str, reason: str = "") -> SignalError:
    """The error that an HTTP answer means.

    408, 429 and 5xx pass; of these, 502 and 504 come from a gateway that may
    have handed the request on, and 500 from a server that may have done half.
    """
    retry = status in (408, 429) or status >= 500
    detail = f": {reason}" if reason else ""
    return SignalError(
        f"{what} answered {status}{detail}", retry=retry, uncertain=status in (500, 502, 504)
    )


def untrusted(what: str) -> SignalError:
    """The error for a certificate that does not verify, with its remedy."""
    return SignalError(
        f"the certificate of {what} does not verify. If its authority is your own, add it to "
        "the system's store or name its file in HEAT_CONFIG_CA_FILE",
        retry=True,
    )
