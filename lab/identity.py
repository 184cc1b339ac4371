# SPDX-License-Identifier: Apache-2.0
"""Fill Keystone: the users, projects and roles that the services need, and the catalog."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from .config import REGION, Settings
from .errors import LabError

# No proxy between us and 127.0.0.1, whatever the environment says.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# What a project's user may do. OS::Heat::DeployedServer and deployments need no more than
# heat_stack_owner: Heat makes their users itself.
_OWNER_ROLES = ("member", "heat_stack_owner")
_SERVICE_ROLES = ("admin", "service")


class Keystone:
    """Just enough of the v3 API."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v3"
        self._token = ""

    def authenticate(self, user: str, password: str, project: str) -> str:
        """Get a token for a project, use it from now on, and return the project's id."""
        domain = {"name": "Default"}
        identity = {"user": {"name": user, "password": password, "domain": domain}}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": identity},
                "scope": {"project": {"name": project, "domain": domain}},
            }
        }
        answer, headers = request("POST", f"{self._url}/auth/tokens", body)
        self._token = headers["X-Subject-Token"]
        return str(answer["token"]["project"]["id"])

    @property
    def token(self) -> str:
        """The token that `authenticate` got."""
        return self._token

    def create(self, kind: str, **values: object) -> str:
        """Create one object (kind: user, role, …) and return its id."""
        answer, _ = request("POST", f"{self._url}/{kind}s", {kind: values}, token=self._token)
        return str(answer[kind]["id"])

    def find(self, kind: str, name: str) -> str:
        """Return the id of an object of that name."""
        return self.find_where(kind, f"name={name}")

    def find_where(self, kind: str, query: str) -> str:
        """Return the id of the first object that answers a query."""
        answer, _ = request("GET", f"{self._url}/{kind}s?{query}", token=self._token)
        return str(answer[f"{kind}s"][0]["id"])

    def call(self, method: str, path: str, body: object = None) -> None:
        """Make a request whose answer does not matter."""
        request(method, self._url + path, body, token=self._token)


def request(
    method: str,
    url: str,
    body: object = None,
    *,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> tuple[Any, Mapping[str, str]]:
    """Make one JSON request; return the answer and its headers."""
    sent = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    if token:
        sent["X-Auth-Token"] = token
    data = None if body is None else json.dumps(body).encode()
    # S310: the URL is ours and begins with http.
    query = urllib.request.Request(url, data, sent, method=method)  # noqa: S310
    try:
        with _OPENER.open(query, timeout=30) as answer:
            text = answer.read()
            return (json.loads(text) if text else None), answer.headers
    except urllib.error.HTTPError as error:
        raise LabError(f"{method} {url}: {error.code} {error.read(500).decode()}") from None
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"{method} {url}: {error}") from None


def answers(url: str) -> bool:
    """Say whether something speaks HTTP there and is not in trouble."""
    try:
        with _OPENER.open(url, timeout=30):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, http.client.HTTPException):
        return False


def fill(settings: Settings, bootstrap_password: str) -> str:
    """Create all that the services and the demo's user need; return the demo project's id."""
    keystone = Keystone(settings.identity_url)
    _replace_admin(keystone, bootstrap_password, settings.passwords["admin_password"])
    keystone.create("region", id=REGION)
    for kind, (public, name) in catalog(settings).items():
        add_service(keystone, kind, name, public)
    for role in ("heat_stack_owner", "heat_stack_user"):
        keystone.create("role", name=role)
    _stack_domain(keystone, settings.passwords["heat_domain_admin_password"])
    keystone.create("project", name="service", domain_id="default")
    for name in ("heat", "zaqar", *(["swift"] if settings.profile.swift else [])):
        add_service_user(keystone, name, settings.passwords[f"{name}_password"])
    demo = keystone.create("project", name="demo", domain_id="default")
    _user(keystone, "demo", settings.passwords["demo_password"], demo, _OWNER_ROLES)
    return demo


def add_service(keystone: Keystone, kind: str, name: str, url: str) -> None:
    """Add a service to the catalog."""
    service = keystone.create("service", type=kind, name=name)
    for interface in ("public", "internal", "admin"):
        keystone.create(
            "endpoint", service_id=service, interface=interface, url=url, region_id=REGION
        )


def add_service_user(keystone: Keystone, name: str, password: str) -> None:
    """Create the user as whom a service asks the others."""
    _user(keystone, name, password, keystone.find("project", "service"), _SERVICE_ROLES)


def catalog(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return each service type's URL, as the catalog has it, and name."""
    websocket = f"ws://{settings.profile.address}:{settings.ports['websocket']}"
    compute = {"compute": (f"{settings.url('compute')}/v2.1", "no-nova")}
    stand_in = compute if settings.profile.stand_in else {}
    swift = {} if not settings.profile.swift else {"object-store": _swift(settings)}
    return {
        "identity": (settings.identity_url, "keystone"),
        "messaging": (settings.url("zaqar"), "zaqar"),
        "messaging-websocket": (websocket, "zaqar-websocket"),
        "orchestration": (f"{settings.url('heat')}/v1/%(project_id)s", "heat"),
        "cloudformation": (f"{settings.url('heat_cfn')}/v1", "heat-cfn"),
        **stand_in,
        **swift,
    }


def _swift(settings: Settings) -> tuple[str, str]:
    return f"{settings.url('swift')}/v1/AUTH_%(project_id)s", "swift"


def _replace_admin(keystone: Keystone, bootstrap_password: str, password: str) -> None:
    """Create this lab's admin, and delete the one that all copies of the seed have in common.

    Not by a change of password: for a second after that Keystone takes new tokens as revoked.
    """
    keystone.authenticate("bootstrap", bootstrap_password, "admin")
    project = keystone.find("project", "admin")
    admin = _user(keystone, "admin", password, project, ("admin",))
    role = keystone.find("role", "admin")
    keystone.call("PUT", f"/system/users/{admin}/roles/{role}")
    old = keystone.find("user", "bootstrap")
    keystone.authenticate("admin", password, "admin")
    keystone.call("DELETE", f"/users/{old}")


def _stack_domain(keystone: Keystone, password: str) -> None:
    """Create the domain in which Heat makes a user for each server and deployment."""
    domain = keystone.create("domain", name="heat")
    admin = keystone.create("user", name="heat_domain_admin", password=password, domain_id=domain)
    role = keystone.find("role", "admin")
    keystone.call("PUT", f"/domains/{domain}/users/{admin}/roles/{role}")


def _user(
    keystone: Keystone, name: str, password: str, project: str, roles: tuple[str, ...]
) -> str:
    """Create a user with roles on a project; return its id."""
    user = keystone.create("user", name=name, password=password, domain_id="default")
    for role in roles:
        number = keystone.find("role", role)
        keystone.call("PUT", f"/projects/{project}/users/{user}/roles/{number}")
    return user
