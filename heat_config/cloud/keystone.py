# SPDX-License-Identifier: Apache-2.0
"""The deployment's own stack user, as Keystone knows it.

Heat makes one user for each deployment, in the stack's own domain project, and
names it by id in the inputs. What keystoneauth gives: the token is asked for
once and again when it has expired, connections are kept, the catalog is read.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, TypeVar

from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3

from heat_config import __version__, redact
from heat_config.cloud import http
from heat_config.cloud.errors import CloudError
from heat_config.cloud.inputs import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import Response

    from heat_config.settings import Settings

_NEEDED = ("deploy_auth_url", "deploy_user_id", "deploy_password", "deploy_project_id")

# The same error under its names in different versions of keystoneauth1.
_SSL_ERRORS = ("SSLError", "SSLFailure")

_Answer = TypeVar("_Answer")


def user_of(values: Mapping[str, Any], settings: Settings) -> User:
    """A deployment's user: the same object, with the same token, for the same credentials.

    :raises CloudError: an input is missing, or the file of certificates cannot be read.
    """
    needed = require(values, *_NEEDED)
    region = str(values.get("deploy_region_name") or "")
    names = (*_NEEDED, "deploy_region_name")
    return _user(tuple(zip(names, (*needed, region), strict=True)), settings)


@functools.lru_cache(maxsize=1)
def _user(values: tuple[tuple[str, str], ...], settings: Settings) -> User:
    return User(dict(values), settings)


class User:
    """Requests in the name of a deployment's stack user."""

    def __init__(self, values: Mapping[str, Any], settings: Settings) -> None:
        auth_url, user_id, password, self.project_id = require(values, *_NEEDED)
        self._keystone = redact.url(auth_url)
        self._region = values.get("deploy_region_name") or None
        self._auth = v3.Password(
            auth_url=auth_url, user_id=user_id, password=password, project_id=self.project_id
        )
        self._session = session.Session(
            auth=self._auth,
            verify=http.verify(settings),
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
                retry=True,
            )
        return str(url)

    def request(self, url: str, method: str, **options: Any) -> Response:
        """Send a request with the user's token; any answer is returned.

        :raises CloudError: no answer came.
        """
        self._ask_keystone(self._session.get_token)
        try:
            return self._session.request(url, method, raise_exc=False, log=False, **options)
        except exceptions.ClientException as error:
            raise _translated(error, redact.url(url), sent=True) from None

    def token(self) -> tuple[str, float]:
        """A token, and the seconds for which it is still valid.

        :raises CloudError: Keystone cannot be asked.
        """
        access: Any = self._ask_keystone(lambda: self._auth.get_access(self._session))
        return str(access.auth_token), access.expires.timestamp() - time.time()

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
        except exceptions.ClientException as error:
            raise _translated(error, what, sent=False) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # keystoneauth takes it for granted that what answers is Keystone.
            detail = f"gave an answer that is none ({error!r})"
            raise CloudError(f"{what} {detail}", retry=True) from None


def _translated(error: Exception, what: str, *, sent: bool) -> CloudError:
    """Say what went wrong without repeating an address with its query."""
    if isinstance(error, exceptions.HttpError):
        answered = http.from_status(error.http_status, what, error.message)
        answered.uncertain &= sent
        answered.bad_content &= sent
        return answered
    kind = type(error).__name__
    if kind in _SSL_ERRORS:
        return http.untrusted(what, error)
    uncertain = sent and not http.was_not_sent(error)
    return CloudError(f"{what} does not answer ({kind})", retry=True, uncertain=uncertain)
