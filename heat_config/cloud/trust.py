# SPDX-License-Identifier: Apache-2.0
"""Whose certificates are trusted."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from heat_config.settings import Settings

# Where distributions keep their bundle: Debian and Ubuntu, RHEL and Fedora, SUSE.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)


class Trust(NamedTuple):
    """The authorities whose word on a server's certificate counts."""

    ca_file: str | None = None
    """A file with their certificates; None for the system's store."""
    insecure: bool = False
    """Do not verify certificates."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Trust:
        """What the operator of this server says."""
        return cls(settings.ca_file, settings.insecure)

    def verify(self) -> str | bool:
        """What requests' ``verify`` must be.

        Left to itself requests trusts the bundle of the package certifi, to which
        an operator's own authority is never added.

        :raises CloudError: the file that the operator names holds no certificates.
        """
        if self.insecure:
            return False
        if self.ca_file:
            _check(self.ca_file)
            return self.ca_file
        known = (ssl.get_default_verify_paths().cafile, *BUNDLES)
        return next((path for path in known if path and Path(path).is_file()), True)


def _check(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl's own errors are among them
        raise CloudError(
            f"no certificates can be read of {ca_file}, which HEAT_CONFIG_CA_FILE or ca_file in "
            f"the section zaqar names: {error}",
            Outcome.WRONG_HERE,
        ) from None
