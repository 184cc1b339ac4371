# SPDX-License-Identifier: Apache-2.0
"""What a user can see of whether a cloud fits: one look after the other."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from heatclient.exc import BaseException as HeatError
from keystoneauth1 import exceptions

from heat_config.cloud import zaqar
from heat_config.cloud.errors import CloudError
from heat_config.cloud.trust import Trust
from heat_operator import findings
from heat_operator.reached import MESSAGING, TIMEOUT, Reached
from heat_plugin import judging, queues
from heat_plugin.judging import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ORCHESTRATION, WEBSOCKET = "orchestration", "messaging-websocket"

# Seconds that what is posted for a look may live, should it be left behind.
_LIFE = 300


class Look(NamedTuple):
    """One look at the cloud, what it is for, and what helps when there is no answer."""

    what: str
    look: Callable[[Cloud], Finding]
    remedy: str
    stands_on: str = "Keystone"
    """The look without which this one would say nothing new."""


class Cloud:
    """The cloud, as ``openstack`` reaches it: its client manager, with python-heatclient's part."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._zaqar = Reached(manager.session, manager.region_name, manager.interface or "public")
        self._queue = queues.Queue(self._zaqar, queues.new_name())

    def keystone(self) -> Finding:
        """Sign in."""
        access = self._manager.session.auth.get_access(self._manager.session)
        return findings.identity(access.username, access.project_name, access.role_names)

    def catalog(self) -> Finding:
        """Look for the endpoints that servers use; the one of the websocket may be missing."""
        found = {kind: self._zaqar.find(kind, "public") for kind in (ORCHESTRATION, MESSAGING)}
        if socket := self._zaqar.find(WEBSOCKET, "public"):
            found[WEBSOCKET] = socket
        return findings.catalog(self._zaqar.region, found, self._manager.session.auth.auth_url)

    def clocks(self) -> Finding:
        """Ask each service what time it is: an answer says so, whatever it is."""
        urls = {kind: self._zaqar.find(kind) for kind in (ORCHESTRATION, MESSAGING)}
        urls = {"Keystone": self._manager.session.auth.auth_url, **urls}
        ahead = {name: self._ahead(url) for name, url in urls.items() if url}
        return findings.clocks({name: found for name, found in ahead.items() if found is not None})

    def heat(self) -> Finding:
        """Ask for a stack, whatever it is."""
        next(iter(self._manager.orchestration.stacks.list(limit=1)), None)
        return Finding("Heat", "lists stacks")

    def plugin(self) -> Finding:
        """Ask which types Heat has."""
        api = self._manager.orchestration.resource_types
        types = {each.resource_type for each in api.list()}
        return findings.plugin(types, api.get(findings.DEPLOYMENT))

    def zaqar(self) -> Finding:
        """Post a message and read it."""
        self._queue.post("posted by openstack software config check", _LIFE)
        return judging.message(len(self._queue.messages()) == 1, "Zaqar")

    def limits(self) -> Finding:
        """Ask what the queue takes."""
        return findings.limits(self._queue.metadata())

    def signed_url(self) -> Finding:
        """Sign an address, and read the same message with nothing but it."""
        address = self._queue.address(self._zaqar.endpoint(), queues.RESULT_METHODS, _LIFE)
        signed = zaqar.AsSigned(address, self._trust())
        found = list(zaqar.Queue(signed, address.queue, str(uuid.uuid4())).unclaimed())
        return judging.message(len(found) == 1, "[signed_url]")

    def websocket(self) -> Finding:
        """Ask it for anything: its answer to what is no websocket is an answer."""
        what = "websocket"
        url = self._zaqar.find(WEBSOCKET, "public")
        if not url:
            return Finding(what, "none: servers look at their queues")
        self._plain(f"http{url.removeprefix('ws')}" if url.startswith("ws") else url)
        return Finding(what, f"answers at {url}")

    def delete_queue(self) -> None:
        """Leave nothing behind; Zaqar may be what is missing."""
        with suppress(CloudError):
            self._queue.delete()

    def _ahead(self, url: str) -> float | None:
        """By how many seconds the clock there is ahead of this one, if an answer says it."""
        before = time.time()
        # Whether there is an answer at all is for the looks of their own.
        with suppress(exceptions.ClientException, ValueError):
            date = self._plain(url).headers.get("Date", "")
            now = (before + time.time()) / 2
            return parsedate_to_datetime(date).timestamp() - now
        return None

    def _plain(self, url: str) -> Any:
        """Any answer to a request of nobody."""
        return self._manager.session.get(
            url, authenticated=False, raise_exc=False, timeout=TIMEOUT, log=False
        )

    def _trust(self) -> Trust:
        verify = self._manager.verify
        return Trust(verify if isinstance(verify, str) else None, insecure=verify is False)


LOOKS = (
    Look("Keystone", Cloud.keystone, "look at OS_AUTH_URL, user, password, OS_CACERT"),
    Look("catalog", Cloud.catalog, "let Keystone serve this user its catalog"),
    Look("clocks", Cloud.clocks, "let Keystone serve this user its catalog"),
    Look("Heat", Cloud.heat, "start Heat's API and engine; the user needs a role of its policy"),
    Look("plug-in", Cloud.plugin, "start Heat's engine; let its policy show resource types",
         "Heat"),
    Look("Zaqar", Cloud.zaqar, "start Zaqar; its policy must let this user's roles use queues"),
    Look("limits", Cloud.limits, "let Zaqar's policy show this user his queues", "Zaqar"),
    Look("[signed_url]", Cloud.signed_url, "set secret_key in [signed_url] of zaqar.conf, the same "
         "on all of Zaqar's hosts, and compare the clocks", "Zaqar"),
    Look("websocket", Cloud.websocket, "start zaqar-websocket, or delete its endpoint; servers "
         "with use_websockets look at their queues meanwhile"),
)  # fmt: skip


def all_looks(manager: Any) -> Iterator[Finding]:
    """Each look's finding; what stands on something that is missing is not looked at."""
    cloud = Cloud(manager)
    missing: set[str] = set()
    try:
        for each in LOOKS:
            if each.stands_on in missing:
                missing.add(each.what)
                continue
            finding = _found(each, cloud)
            yield finding
            if not finding.ok:
                missing.add(each.what)
    finally:
        cloud.delete_queue()


def _found(look: Look, cloud: Cloud) -> Finding:
    try:
        return look.look(cloud)
    except (CloudError, HeatError, exceptions.ClientException, OSError) as error:
        return judging.refused(look.what, str(error), look.remedy)
