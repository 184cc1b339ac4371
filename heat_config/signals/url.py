# SPDX-License-Identifier: Apache-2.0
"""CFN_SIGNAL and TEMP_URL_SIGNAL: the result goes to a URL that Heat has signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from heat_config import __version__, redact
from heat_config.cloud import bounded, http
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.inputs import require
from heat_config.cloud.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.result import Result
    from heat_config.settings import Settings

# Heat's max_json_body_size, for CFN's POST. A PUT goes to Swift, which takes
# 5 GiB, but Heat reads it back into its database.
LIMIT = 1_048_576


class SignedUrl:
    """A URL that is permission enough: POST for CFN, PUT for Swift's TempURL.

    A second result does no harm: Heat ignores a POST unless it waits for one,
    and a PUT replaces the first.

    :raises CloudError: the address is not usable, or the file of certificates is not.
    """

    limit = LIMIT

    def __init__(self, address: Mapping[str, Any], trust: Trust) -> None:
        (self._url,) = require(address, "deploy_signal_id")
        self._verb = str(address.get("deploy_signal_verb") or "POST").upper()
        if self._verb not in ("POST", "PUT"):
            raise CloudError(
                f"deploy_signal_verb {self._verb[:20]!r} is neither POST nor PUT",
                Outcome.UNUSABLE,
            )
        self._verify = trust.verify()
        self._session = bounded.session()

    def post(self, result: Result) -> str:
        """Send the result; return where it went, fit for a log.

        :raises CloudError: it was not accepted, or nobody knows.
        """
        return self.send(result.as_json())

    def send(self, message: str) -> str:
        """Send any JSON; return where it went, fit for a log.

        :raises CloudError: it was not accepted, or nobody knows.
        """
        target = f"{self._verb} {redact.url(self._url)}"
        try:
            response = self._session.request(
                self._verb,
                self._url,
                data=message,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": f"heat-config/{__version__}",
                },
                timeout=http.TIMEOUT,
                verify=self._verify,
                # Where requests follows one, it comes with a GET and no result.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise _translated(error, target) from None
        if not http.is_success(response):
            raise http.from_status(response.status_code, target, response.reason)
        if response.content and "html" in response.headers.get("Content-Type", ""):
            raise http.from_stranger(target)  # a page for people: a proxy's or a portal's
        return target


def sender(address: Mapping[str, Any], config_id: str, settings: Settings) -> SignedUrl:  # noqa: ARG001 - one way to make them all
    """The URL of a deployment.

    :raises CloudError: the address is not usable, or something on this server is not.
    """
    return SignedUrl(address, Trust.from_settings(settings))


def prepare(address: Mapping[str, Any], settings: Settings) -> None:
    """Nothing but the import of this module can be done before there is a result."""


def _translated(error: requests.RequestException, target: str) -> CloudError:
    """Only the kind of error is named: its text repeats the signed URL."""
    unusable = (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
    )
    if isinstance(error, unusable):
        return CloudError(f"deploy_signal_id is not a usable URL: {target}", Outcome.UNUSABLE)
    if isinstance(error, requests.exceptions.SSLError):
        return http.untrusted(target, error)
    return http.from_silence(target, error)
