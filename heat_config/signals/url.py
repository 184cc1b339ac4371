# SPDX-License-Identifier: Apache-2.0
"""CFN_SIGNAL and TEMP_URL_SIGNAL: the result goes to a URL that Heat has signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from heat_config import __version__, redact
from heat_config.cloud import http
from heat_config.cloud.errors import CloudError
from heat_config.cloud.inputs import require
from heat_config.signals.sender import Accepted

if TYPE_CHECKING:
    from heat_config.delivery.outbox import Entry
    from heat_config.result import Result
    from heat_config.settings import Settings

# Heat's max_json_body_size, for CFN's POST. A PUT goes to Swift, which takes
# 5 GiB, but Heat reads it back into its database.
LIMIT = 1_048_576


class SignedUrl:
    """A URL that is permission enough: POST for CFN, PUT for Swift's TempURL.

    A second result does no harm: Heat ignores a POST unless it waits for one,
    and a PUT replaces the first.
    """

    limit = LIMIT
    doubt = False
    heat_doubt = False

    def __init__(self, entry: Entry, settings: Settings) -> None:
        (self._url,) = require(entry.values, "deploy_signal_id")
        self._verb = str(entry.values.get("deploy_signal_verb") or "POST").upper()
        if self._verb not in ("POST", "PUT"):
            raise CloudError(
                f"deploy_signal_verb {self._verb[:20]!r} is neither POST nor PUT", hopeless=True
            )
        self._verify = http.verify(settings)
        self._session = requests.Session()

    def send(self, result: Result) -> Accepted:
        """Send the result.

        :raises CloudError: it was not accepted.
        """
        target = f"{self._verb} {redact.url(self._url)}"
        try:
            response = self._session.request(
                self._verb,
                self._url,
                data=result.as_json(),
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
        if not 200 <= response.status_code < 300:
            raise http.from_status(response.status_code, target, response.reason)
        if response.content and "html" in response.headers.get("Content-Type", ""):
            raise http.from_stranger(target)  # a page for people: a proxy's or a portal's
        return Accepted(target)

    def clean(self) -> None:
        """Nothing of it is left anywhere."""


def _translated(error: requests.RequestException, target: str) -> CloudError:
    """Only the kind of error is told: its text repeats the signed URL."""
    unusable = (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
    )
    if isinstance(error, unusable):
        return CloudError(f"deploy_signal_id is not a usable URL: {target}", hopeless=True)
    if isinstance(error, requests.exceptions.SSLError):
        return http.untrusted(target, error)
    return CloudError(f"{target} does not answer ({type(error).__name__})", retry=True)
