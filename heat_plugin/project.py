# SPDX-License-Identifier: Apache-2.0
"""Requests to Zaqar in a stack's own project, without a user made for it.

Every stack has a project in Heat's domain for stack users. Heat's administrator of that domain
may give himself the role of a stack user in all of its projects, which is done once per cloud; from
then on one token per stack and engine signs, reads and deletes.

Queues are signed in that project and in no other: over the websocket Zaqar does not confine a
signed address to its queue, and a stack's servers may at most reach their own stack.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from heat.common import config as heat_options
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3
from oslo_config import cfg
from oslo_log import log

from heat_config import __version__
from heat_config.cloud.errors import CloudError, Outcome
from heat_plugin import trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

LOG = log.getLogger(__name__)

MESSAGING = "messaging"

# Seconds without a byte after which a request is given up: a thread of the engine waits.
TIMEOUT = 10.0

# Tokens that are kept: one for each stack that this engine works on.
_MOST_TOKENS = 1024

_granting = threading.Lock()


class Place(NamedTuple):
    """Which project is meant, and which of the catalog's endpoints this engine uses."""

    keystone: str
    """Keystone's address, with its version."""
    project: str
    region: str | None
    interface: str
    """Such as publicURL."""


class AsProject(NamedTuple):
    """A connection to Zaqar: see :class:`heat_config.cloud.zaqar.Connection`."""

    place: Place
    session: Any
    auth: Any

    def endpoint(self) -> str:
        """Zaqar's address as this engine reaches it, without a version.

        :raises CloudError: Keystone cannot be asked, or knows none.
        """
        return self.find(self.place.interface) or self._none(self.place.interface)

    def public_endpoint(self) -> str:
        """Zaqar's address as servers reach it.

        :raises CloudError: Keystone cannot be asked, or knows none.
        """
        return self.find("public") or self._none("public")

    def find(self, interface: str) -> str | None:
        """Zaqar's address in the catalog, if it is there; the token has the catalog.

        :raises CloudError: Keystone cannot be asked.
        """
        with trouble.named("Keystone"):
            url: str | None = self.session.get_endpoint(
                self.auth,
                service_type=MESSAGING,
                interface=interface,
                region_name=self.place.region,
            )
        return url and url.rstrip("/")

    def _none(self, interface: str) -> NoReturn:
        raise CloudError(
            f"the catalog has no endpoint {interface} of type {MESSAGING} in Heat's region",
            Outcome.REFUSED,
        )

    def request(self, url: str, method: str, **options: Any) -> Response:
        """Send a request with the project's token; return any answer.

        :raises CloudError: no answer came, or there is no token.
        """
        response = self._send(url, method, options)
        if response.status_code == 401 and self.auth.invalidate():
            response = self._send(url, method, options)
        return response

    def _send(self, url: str, method: str, options: dict[str, Any]) -> Response:
        with trouble.named("Keystone"):
            self.auth.get_token(self.session)
        with trouble.named("Zaqar"):
            answer: Response = self.session.request(
                url, method, auth=self.auth, raise_exc=False, log=False, **options
            )
        return answer


def require_keystone(address: str) -> None:
    """Ask Keystone for its version: nobody is logged in for it.

    :raises CloudError: it does not answer.
    """
    with trouble.named("Keystone"):
        _session().get(address, authenticated=False, log=False)


def is_possible() -> bool:
    """Whether Heat has the domain for stack users that all of this needs."""
    return bool(cfg.CONF.stack_domain_admin)


def connection(place: Place, keystone: Callable[[], Any]) -> AsProject:
    """A connection in a stack's project. ``keystone``: gives Heat's own client for it.

    :raises CloudError: Keystone gives no token for the project.
    """
    if not is_possible():
        raise CloudError(
            "heat.conf names no stack_domain_admin: queues are read in his name",
            Outcome.UNUSABLE,
        )
    found = AsProject(place, _session(), _auth(place.keystone, place.project))
    with trouble.named("Keystone"):
        try:
            found.auth.get_token(found.session)
        except exceptions.Unauthorized:
            _grant(keystone())
            found.auth.get_token(found.session)
    return found


@lru_cache(maxsize=1)
def _session() -> Any:
    """One for the engine: its connections are kept."""
    return session.Session(
        timeout=TIMEOUT,
        redirect=False,
        app_name="heat-config-plugin",
        app_version=__version__,
        **heat_options.get_ssl_options("keystone"),
    )


@lru_cache(maxsize=_MOST_TOKENS)
def _auth(keystone: str, project: str) -> Any:
    """The domain's administrator in one project; keeps its token until that ends."""
    conf = cfg.CONF
    domain = (
        {"user_domain_id": conf.stack_user_domain_id}
        if conf.stack_user_domain_id
        else {"user_domain_name": conf.stack_user_domain_name}
    )
    return v3.Password(
        auth_url=keystone,
        username=conf.stack_domain_admin,
        password=conf.stack_domain_admin_password,
        project_id=project,
        **domain,
    )


def _grant(keystone: Any) -> None:
    """Let the domain's administrator be a stack user in the domain's projects."""
    with _granting:
        access = keystone.domain_admin_auth.get_access(keystone.session)
        client = keystone.domain_admin_client
        for role in client.roles.list(name=cfg.CONF.heat_stack_user_role):
            LOG.info(
                "granting %s the role %s in all projects of stacks", access.username, role.name
            )
            client.roles.grant(
                role,
                user=access.user_id,
                domain=keystone.stack_domain_id,
                os_inherit_extension_inherited=True,
            )
