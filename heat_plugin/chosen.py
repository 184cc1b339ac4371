# SPDX-License-Identifier: Apache-2.0
"""A deployment whose transport may be AUTO: decided once, kept among the resource's data."""

from __future__ import annotations

from typing import Any

from heat.common import exception
from heat.engine import attributes, constraints, properties
from heat.engine.resources.openstack.heat import software_deployment as heats

from heat_plugin import options, record, transport, watched
from heat_plugin.record import Record
from heat_plugin.stack import StackZaqar
from heat_plugin.transport import Choice

SIGNAL_TRANSPORT = heats.SoftwareDeployment.SIGNAL_TRANSPORT

# Those whose results come over a queue.
OVER_ZAQAR = (transport.ZAQAR_MESSAGE, transport.ZAQAR_SIGNAL)

_HEATS = heats.SoftwareDeployment.properties_schema[SIGNAL_TRANSPORT]
_ALLOWED = [
    *heats.SoftwareDeployment.SIGNAL_TRANSPORTS,
    transport.AUTO,
    transport.ZAQAR_MESSAGE,
]
_SCHEMA = properties.Schema(
    properties.Schema.STRING,
    f"{_HEATS.description} ZAQAR_MESSAGE gives the server an address that opens one queue for one "
    "action, in place of a user. AUTO uses Zaqar where the cloud has it.",
    default=options.default_signal(),
    constraints=[constraints.AllowedValues(_ALLOWED)],
    update_allowed=True,
)


# Without a default: a change of the operator's option changes no stack.
_PROGRESS = properties.Schema(
    properties.Schema.BOOLEAN,
    "Whether servers say how far they are while they run this, line by line, over a queue of its "
    "own. Only where the results come as ZAQAR_MESSAGE. A change of it alone runs nothing again.",
    update_allowed=True,
)


def schema_with(heats_own: dict[str, Any]) -> dict[str, Any]:
    """A deployment's, or a group's, properties with more transports and with progress."""
    return {**heats_own, SIGNAL_TRANSPORT: _SCHEMA, watched.PROPERTY: _PROGRESS}


def attributes_with(heats_own: dict[str, Any]) -> dict[str, Any]:
    """A deployment's attributes, and the transport in use."""
    description = "The transport in use: what AUTO has become."
    return {
        **heats_own,
        SIGNAL_TRANSPORT: attributes.Schema(description, type=attributes.Schema.STRING),
    }


class Chosen(heats.SoftwareDeployment):
    """Heat's deployment, where what it asks itself about its transport is answered here."""

    def validate(self) -> None:
        """Say early what the cloud lacks."""
        super().validate()
        asked = self.properties[SIGNAL_TRANSPORT]
        if asked in OVER_ZAQAR and not self._zaqar.is_offered_to_owner():
            message = (
                f"signal_transport is {asked}, but the catalog has no endpoint of type messaging "
                "in this region, or heat.conf no stack_domain_admin. AUTO would use another here."
            )
            raise exception.StackValidationFailed(message=message)

    def get_attribute(self, key: str, *path: Any) -> Any:
        """Add the transport to Heat's own attributes, for templates."""
        if key == SIGNAL_TRANSPORT:
            return self._transport
        return super().get_attribute(key, *path)

    def _resolve_attribute(self, name: str) -> Any:
        """Add the transport where Heat's API shows the resource: it does not ask get_attribute."""
        return self._transport if name == SIGNAL_TRANSPORT else super()._resolve_attribute(name)

    @property
    def _transport(self) -> str:
        """The transport in use; AUTO as long as nothing is decided."""
        asked = str(self.properties[SIGNAL_TRANSPORT])
        kept = self._record
        return kept.chosen if kept.asked == asked == transport.AUTO else asked

    def _decide(self) -> None:
        asked = str(self.properties[SIGNAL_TRANSPORT])
        kept = self._record
        if kept.asked == asked:
            return
        chosen = asked
        if asked == transport.AUTO:
            chosen = transport.decide(self._auto(), messaging=self._zaqar.is_offered())
        self._keep(kept.decided(asked, chosen))

    def _auto(self) -> Choice:
        return options.auto_signal()

    @property
    def _is_watched(self) -> bool:
        """Whether the server is to say how far it is; it must know signed addresses."""
        asked = self.properties[watched.PROPERTY]
        wanted = options.default_progress() if asked is None else asked
        return bool(wanted) and self._transport == transport.ZAQAR_MESSAGE

    @property
    def _record(self) -> Record:
        return record.read(self.data().get(record.KEY))

    def _keep(self, kept: Record) -> None:
        self.data_set(record.KEY, kept.written(), redact=True)

    @property
    def _zaqar(self) -> StackZaqar:
        return StackZaqar(self)

    def _signal_transport_cfn(self) -> bool:
        return bool(self._transport == self.CFN_SIGNAL)

    def _signal_transport_heat(self) -> bool:
        return bool(self._transport == self.HEAT_SIGNAL)

    def _signal_transport_none(self) -> bool:
        return bool(self._transport == self.NO_SIGNAL)

    def _signal_transport_temp_url(self) -> bool:
        return bool(self._transport == self.TEMP_URL_SIGNAL)

    def _signal_transport_zaqar(self) -> bool:
        return self._transport == transport.ZAQAR_SIGNAL
