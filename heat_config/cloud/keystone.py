# SPDX-License-Identifier: Apache-2.0
"""A stack user, as Keystone knows it, and requests in its name.

What keystoneauth gives: the token is asked for once and again when it has expired,
connections are kept, the catalog is read.

While Keystone is asked nothing has been sent to the service behind it. So when that
goes wrong, the request itself has certainly not been served.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, TypeVar

from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3

from heat_config import __version__, redact
from heat_config.cloud import bounded, http
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from heat_config.cloud.credentials import Credentials
    from heat_config.cloud.trust import Trust

# The same error under its names in different versions of keystoneauth1.
_SSL_ERRORS = ("SSLError", "SSLFailure")

_Answer = TypeVar("_Answer")


@functools.lru_cache(maxsize=1)
def user_of(credentials: Credentials, trust: Trust) -> User:
    """A user: the same object, with the same token, for the same credentials.

    :raises CloudError: the file of certificates cannot be read.
    """
    return User(credentials, trust)


class User:
    """Requests in the name of a stack user.

    :raises CloudError: the file of certificates cannot be read.
    """

    def __init__(self, credentials: Credentials, trust: Trust) -> None:
        self._keystone = redact.url(credentials.auth_url)
        self._region = credentials.region_name
        self._auth = v3.Password(
            auth_url=credentials.auth_url,
            user_id=credentials.user_id,
            password=credentials.password,
            project_id=credentials.project_id,
        )
        self._session = session.Session(
            auth=self._auth,
            session=bounded.session(),
            verify=trust.verify(),
            timeout=http.TIMEOUT,
            # A redirection would take the token, or the password, to any host.
            redirect=False,
            app_name="heat-config",
            app_version=__version__,
        )

    def endpoint(self, service_type: str) -> str:
        """The public endpoint of a service in the deployment's region.

        :raises CloudError: Keystone cannot be asked, or knows none.
        """
        url = self._ask_keystone(lambda: self._look_up(service_type))
        if not url:
            region = f" in region {self._region}" if self._region else ""
            raise CloudError(
                f"the catalog of Keystone at {self._keystone} has no public endpoint of type "
                f"{service_type!r}{region}",
                Outcome.UNREACHABLE,
            )
        return str(url)

    def request(self, url: str, method: str, **options: Any) -> Response:
        """Send a request with the user's token; any answer is returned.

        :raises CloudError: no answer came, or there is no token.
        """
        response = self._send(url, method, options)
        if response.status_code == 401 and self._session.invalidate():
            response = self._send(url, method, options)
        return response

    def token(self) -> tuple[str, float]:
        """A token, and the seconds for which it is still valid.

        :raises CloudError: Keystone cannot be asked.
        """
        access: Any = self._ask_keystone(lambda: self._auth.get_access(self._session))
        return str(access.auth_token), access.expires.timestamp() - time.time()

    def _send(self, url: str, method: str, options: dict[str, Any]) -> Response:
        # Here, not within the request: what fails here is Keystone.
        self._ask_keystone(self._session.get_token)
        try:
            return self._session.request(
                url, method, raise_exc=False, allow_reauth=False, log=False, **options
            )
        except exceptions.ClientException as error:
            raise _no_answer(redact.url(url), error) from None

    def _look_up(self, service_type: str) -> str | None:
        try:
            found: str | None = self._session.get_endpoint(
                service_type=service_type, interface="public", region_name=self._region
            )
        except exceptions.CatalogException:
            return None
        return found

    def _ask_keystone(self, ask: Callable[[], _Answer]) -> _Answer:
        what = f"Keystone at {self._keystone}"
        try:
            return ask()
        except exceptions.HttpError as error:
            raise _before(http.from_status(error.http_status, what, error.message)) from None
        except exceptions.ClientException as error:
            raise _before(_no_answer(what, error)) from None
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            # keystoneauth takes it for granted that what answers is Keystone.
            detail = f"gave an answer that is not Keystone's ({error!r})"
            raise CloudError(f"{what} {detail}", Outcome.UNREACHABLE) from None


def _no_answer(what: str, error: Exception) -> CloudError:
    """Say what went wrong without repeating an address with its query."""
    if type(error).__name__ in _SSL_ERRORS:
        return http.untrusted(what, error)
    return http.from_silence(what, error)


def _before(error: CloudError) -> CloudError:
    """What an error of Keystone's means for the request behind it, which was not sent."""
    if error.outcome is Outcome.UNKNOWN:
        error.outcome = Outcome.UNREACHABLE
    elif error.outcome.is_refusal:  # it is the user who is refused, not a content
        error.outcome = Outcome.REFUSED
    return error
