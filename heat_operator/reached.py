# SPDX-License-Identifier: Apache-2.0
"""Zaqar as the user of ``openstack`` reaches it, with that program's own session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config.cloud.errors import CloudError, Outcome
from heat_plugin import trouble

if TYPE_CHECKING:
    from requests import Response

MESSAGING = "messaging"
# Seconds for a request of a look.
TIMEOUT = 10.0


class Reached(NamedTuple):
    """A connection to Zaqar: see :class:`heat_config.cloud.zaqar.Connection`."""

    session: Any
    region: str | None
    interface: str

    def find(self, service_type: str, interface: str | None = None) -> str | None:
        """A service's address in the catalog, if it is there.

        :raises CloudError: Keystone cannot be asked.
        """
        with trouble.named("Keystone"):
            url: str | None = self.session.get_endpoint(
                service_type=service_type,
                interface=interface or self.interface,
                region_name=self.region,
            )
        return url and url.rstrip("/")

    def endpoint(self) -> str:
        """Zaqar's address, without the API's version.

        :raises CloudError: it is not known.
        """
        if found := self.find(MESSAGING):
            return found
        raise CloudError(f"the catalog has no endpoint of type {MESSAGING}", Outcome.REFUSED)

    def request(self, url: str, method: str, **options: Any) -> Response:
        """Send a request with the user's token; return any answer.

        :raises CloudError: no answer came, or there is no token.
        """
        with trouble.named("Zaqar"):
            answer: Response = self.session.request(
                url, method, raise_exc=False, log=False, timeout=TIMEOUT, **options
            )
        return answer
