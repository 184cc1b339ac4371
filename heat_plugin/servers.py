# SPDX-License-Identifier: Apache-2.0
"""Servers: Heat's own classes with AUTO and ZAQAR_SIGNED, a queue that no user is made for.

Heat's engine posts metadata itself. Where a server's data hold ``zaqar_queue_signed_url_data``,
it posts with that, and asks Keystone for nothing.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from heat.common import exception
from heat.engine import attributes, constraints, properties
from heat.engine.resources import server_base
from heat.engine.resources.openstack.heat import deployed_server
from heat.engine.resources.openstack.nova import server as nova_server
from oslo_log import log

from heat_config.cloud import signed
from heat_plugin import leftover, options, posting, queues, record, transport
from heat_plugin.record import Record
from heat_plugin.stack import StackZaqar
from heat_plugin.stored import QUEUE, SIGNATURE
from heat_plugin.transport import Choice
from heat_plugin.waiting import attempt
from heat_plugin.work import Work

LOG = log.getLogger(__name__)

TRANSPORT = deployed_server.DeployedServer.SOFTWARE_CONFIG_TRANSPORT

# Of os-collect-config's section zaqar: what stands there in place of a user.
SIGNED_ADDRESS = "signed_address"


def schema_with(heats_own: dict[str, Any]) -> dict[str, Any]:
    """A server's properties with more transports."""
    heats = heats_own[TRANSPORT]
    allowed = [each for one in heats.constraints for each in one.allowed]
    more = properties.Schema(
        properties.Schema.STRING,
        f"{heats.description} ZAQAR_SIGNED does so with an address that opens one queue, in place "
        "of a user. AUTO uses Zaqar where the cloud has it.",
        default=options.default_server(),
        update_allowed=True,
        constraints=[constraints.AllowedValues([*allowed, transport.AUTO, transport.ZAQAR_SIGNED])],
    )
    return {**heats_own, TRANSPORT: more}


def attributes_with(heats_own: dict[str, Any]) -> dict[str, Any]:
    """A server's attributes, and the transport in use."""
    description = "The transport in use: what AUTO has become."
    return {
        **heats_own,
        TRANSPORT: attributes.Schema(description, type=attributes.Schema.STRING),
    }


class SignedMetadata(server_base.BaseServer):
    """A server of Heat's whose metadata may come over a queue with a signed address."""

    _leaves_queues: bool = False
    # Whether an update has already turned to another queue.
    _is_moving: bool = False
    # Whether metadata are being made that lack the address yet.
    _is_unsigned: bool = False

    def _create_user(self) -> None:
        """Make the user also where an earlier try was cut short."""
        leftover.made_anew(self, super()._create_user)

    def validate(self) -> None:
        """Say early what the cloud lacks."""
        super().validate()
        asked = self.properties[TRANSPORT]
        if asked == transport.ZAQAR_SIGNED and not self._zaqar.is_offered_to_owner():
            message = (
                f"software_config_transport is {asked}, but the catalog has no endpoint of type "
                "messaging in this region, or heat.conf no stack_domain_admin. AUTO would use "
                "another here."
            )
            raise exception.StackValidationFailed(message=message)

    def _resolve_attribute(self, name: str) -> Any:
        """Add the transport to Heat's own attributes."""
        return (
            self._used(self.properties) if name == TRANSPORT else super()._resolve_attribute(name)
        )

    def transport_poll_server_cfn(self, props: Any) -> bool:
        """Answer what Heat asks itself."""
        return bool(self._used(props) == self.POLL_SERVER_CFN)

    def transport_poll_server_heat(self, props: Any) -> bool:
        """Answer what Heat asks itself."""
        return bool(self._used(props) == self.POLL_SERVER_HEAT)

    def transport_poll_temp_url(self, props: Any) -> bool:
        """Answer what Heat asks itself."""
        return bool(self._used(props) == self.POLL_TEMP_URL)

    def transport_zaqar_message(self, props: Any) -> bool:
        """Answer what Heat asks itself."""
        return bool(self._used(props) == self.ZAQAR_MESSAGE)

    def _used(self, props: Any) -> str:
        asked = str(props[TRANSPORT])
        kept = self._record
        return kept.chosen if kept.asked == asked == transport.AUTO else asked

    def _decide(self, props: Any) -> None:
        asked = str(props[TRANSPORT])
        kept = self._record
        if kept.asked == asked:
            return
        chosen = asked
        if asked == transport.AUTO:
            chosen = transport.decide(self._auto(), messaging=self._zaqar.is_offered())
        self._keep(kept.decided(asked, chosen))

    def _auto(self) -> Choice:
        return options.auto_server()

    @property
    def _record(self) -> Record:
        return record.read(self.data().get(record.KEY))

    def _keep(self, kept: Record) -> None:
        self.data_set(record.KEY, kept.written(), redact=True)

    @property
    def _zaqar(self) -> StackZaqar:
        return StackZaqar(self)

    def _create_transport_credentials(self, props: Any) -> None:
        """As Heat; with a name that any queue can have, and no user where none is needed."""
        self._decide(props)
        used = self._used(props)
        over_queue = used in (transport.ZAQAR_SIGNED, transport.ZAQAR_MESSAGE)
        if over_queue and not self._record.queue:
            kept, _ = self._record.moved(queues.new_name())
            self._keep(kept)
        if used == transport.ZAQAR_MESSAGE:
            self.data_set(QUEUE, self._record.queue)
        super()._create_transport_credentials(props)

    def _populate_deployments_metadata(self, meta: Any, props: Any) -> None:
        """As Heat, and with the address of a signed queue."""
        signs = self._used(props) == transport.ZAQAR_SIGNED
        if signs:
            # Heat would post in the name of a user that there is not.
            self.data_delete(QUEUE)
        self._is_unsigned = signs
        try:
            super()._populate_deployments_metadata(meta, props)
        finally:
            self._is_unsigned = False
        if signs:
            self._add_address(meta)
            self._post(self._record.queue, meta)

    def metadata_set(self, metadata: Any, merge_metadata: Any = None) -> None:
        """As Heat, but nothing before the address is in it.

        A server that was given metadata without it would have no collector, for ever.
        """
        if not self._is_unsigned:
            super().metadata_set(metadata, merge_metadata)

    def _add_address(self, meta: Any) -> None:
        """Sign for both ends: the engine posts, the server lists and deletes."""
        name = self._record.queue
        endpoint = self._zaqar.public_endpoint()
        queue = self._zaqar.queue(name)
        life = options.server_address_life()
        engines = queue.address(endpoint, ("POST",), life)
        servers = queue.address(endpoint, ("GET", "DELETE"), life)
        section = meta["os-collect-config"]
        section["zaqar"] = {
            **(section.get("zaqar") or {}),
            "queue_id": name,
            SIGNED_ADDRESS: signed.written(servers),
        }
        others = [each for each in section["collectors"] if each not in ("zaqar", "local")]
        section["collectors"] = [*others, "zaqar", "local"]
        self.metadata_set(meta)
        self.data_set(SIGNATURE, json.dumps(_engines_own(engines)))
        self.data_set(QUEUE, name)

    def _needs_update(self, *given: Any, **named: Any) -> bool:
        """As Heat, and where nothing but the address has grown old.

        Nothing in Heat comes by while a stack rests: each update of it does.
        """
        return bool(super()._needs_update(*given, **named)) or self._is_half_over()

    def handle_update(self, json_snippet: Any, tmpl_diff: Any, prop_diff: Any) -> Any:
        """As Heat; an address of which half of the life is over becomes a new one."""
        updating = super().handle_update(json_snippet, tmpl_diff, prop_diff)
        if self._is_half_over():
            meta = self.metadata_get(True)
            self._add_address(meta)
            self._post(self._record.queue, meta)
        return updating

    def _is_half_over(self) -> bool:
        """Whether that holds for the server's address; for none where there is none."""
        section = (self.metadata_get() or {}).get("os-collect-config") or {}
        text = (section.get("zaqar") or {}).get(SIGNED_ADDRESS)
        if SIGNATURE not in self.data() or not signed.is_signed(text):
            return False
        left = signed.parse(str(text)).seconds_left(time.time())
        return left < options.server_address_life() / 2

    def _post(self, name: str, meta: Any) -> None:
        posting.post(self._zaqar.queue(name), meta, self._zaqar.ttl)

    def _update_software_config_transport(self, prop_diff: Any) -> None:
        """As Heat; the server is told on its old queue, which is deleted with the server."""
        if not self._is_moving:
            self._leave_queue()
        super()._update_software_config_transport(prop_diff)
        if self._record.before:
            self._post(self._record.before, self.metadata_get(True))

    def _leave_queue(self) -> None:
        """Let the current queue be the old one. The one before that is not read any more."""
        self._is_moving = True
        kept, unneeded = self._record.moved("")
        heats_own = self.data().get(QUEUE) or ""
        self._keep(kept if kept.before else replace(kept, before=heats_own))
        self.data_delete(QUEUE)
        self.data_delete(SIGNATURE)
        if unneeded:
            self._zaqar.queue(unneeded).delete()

    def _delete_queue(self) -> None:
        if self._is_moving:
            return
        heats_own = self.data().get(QUEUE) or ""
        for name in {*self._record.queues, heats_own} - {""}:
            if self._leaves_queues:
                LOG.warning("%s is deleted, its queue %s is left: Zaqar is away", self.name, name)
            else:
                self._zaqar.queue(name).delete()
        for key in (QUEUE, SIGNATURE, record.KEY):
            self.data_delete(key)


class DeployedServer(SignedMetadata, deployed_server.DeployedServer):
    """OS::Heat::DeployedServer with AUTO and ZAQAR_SIGNED, that waits for a cloud that is away."""

    properties_schema = schema_with(deployed_server.DeployedServer.properties_schema)
    attributes_schema = attributes_with(deployed_server.DeployedServer.attributes_schema)

    def handle_create(self) -> Work:
        """Begin as soon as that is possible."""
        return Work(self.name, super().handle_create)

    def handle_update(self, json_snippet: Any, tmpl_diff: Any, prop_diff: Any) -> Work:
        """Begin as soon as that is possible."""
        return Work(self.name, partial(super().handle_update, json_snippet, tmpl_diff, prop_diff))

    def handle_delete(self) -> Work:
        """Begin as soon as that is possible."""
        return Work(self.name, super().handle_delete)

    def handle_suspend(self) -> Work:
        """Begin as soon as that is possible; a user that there is not is not disabled."""
        return Work(self.name, super().handle_suspend if self._get_user_id() else _nothing)

    def handle_resume(self) -> Work:
        """Begin as soon as that is possible; a user that there is not is not enabled."""
        return Work(self.name, super().handle_resume if self._get_user_id() else _nothing)

    def check_create_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_update_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_suspend_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_resume_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_delete_complete(self, work: Work) -> bool:
        """Go on with it."""
        self._leaves_queues = work.leaves_queues
        if not work.has_begun:
            attempt(work, work.begin)
        attempt(work, self._zaqar.require_keystone)
        return True

    def _advance(self, work: Work) -> bool:
        attempt(work, work.begin)
        return True


class Server(SignedMetadata, nova_server.Server):
    """OS::Nova::Server with AUTO and ZAQAR_SIGNED."""

    properties_schema = schema_with(nova_server.Server.properties_schema)
    attributes_schema = attributes_with(nova_server.Server.attributes_schema)


class DeployedServerWithUser(DeployedServer):
    """The same; AUTO makes a user, for an agent that knows no signed address."""

    def _auto(self) -> Choice:
        return options.auto_server_with_user()


class ServerWithUser(Server):
    """The same; AUTO makes a user, for an agent that knows no signed address."""

    def _auto(self) -> Choice:
        return options.auto_server_with_user()


def _nothing() -> None:
    """There is nothing to do."""


def _engines_own(address: signed.Address) -> dict[str, Any]:
    """What Heat's engine reads: the answer of Zaqar's that it is made from."""
    values = asdict(address)
    names = ("project", "paths", "methods", "expires", "signature")
    return {name: values[name] for name in names}
