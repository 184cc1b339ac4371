# SPDX-License-Identifier: Apache-2.0
"""How a result gets back to Heat, chosen by the deployment's own inputs.

Importing this package costs little: each transport, with the libraries that it needs, is
imported when there is something to send.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, cast

from heat_config.cloud.signed import PROGRESS, is_signed
from heat_config.signals import program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from heat_config.settings import Settings
    from heat_config.signals.sender import QueueSender, Sender
    from heat_config.signals.url import SignedUrl

# Bytes of a result as ASCII JSON: no transport of ours carries more.
LARGEST = 1_048_576


class Transport(Enum):
    """What carries a deployment's result."""

    QUEUE = "zaqar"
    SIGNED = "signed"
    URL = "url"
    HEAT = "heat"


# The input whose presence chooses a transport, in the order of preference.
# Source: OS::Heat::SoftwareDeployment, _build_derived_inputs.
_CHOSEN_BY = (
    ("deploy_queue_id", Transport.QUEUE),
    ("deploy_signal_id", Transport.URL),
    ("deploy_auth_url", Transport.HEAT),
)


class _Module(Protocol):
    """What each transport's module has."""

    def sender(self, address: Mapping[str, Any], config_id: str, settings: Settings) -> Sender:
        """Make what sends one result.

        :raises CloudError: the address is not usable, or something on this server is not.
        """

    def prepare(self, address: Mapping[str, Any], settings: Settings) -> None:
        """Do what can be done before there is a result."""


def transport(values: Mapping[str, Any]) -> Transport | None:
    """What carries this deployment's result; None when none is wanted."""
    chosen = next((chosen for name, chosen in _CHOSEN_BY if values.get(name)), None)
    if chosen is Transport.URL and is_signed(values["deploy_signal_id"]):
        return Transport.SIGNED
    return chosen


def address(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that say where the result goes; none when nobody waits for it."""
    if transport(values) is None:
        return {}
    return {
        name: value
        for name, value in values.items()
        if name.startswith("deploy_") and name != PROGRESS
    }


def prepare(values: Mapping[str, Any], settings: Settings) -> None:
    """Import what will send this deployment's result, and log in, in a thread of its own.

    That takes longer than many a hook, and beside one it costs no time.
    """
    chosen = transport(values)
    if chosen is None or settings.notify:
        return
    with suppress(RuntimeError):  # no more threads here: then it is done after the run
        Thread(target=_prepare, args=(chosen, values, settings), name="prepare").start()


def _prepare(chosen: Transport, values: Mapping[str, Any], settings: Settings) -> None:
    with suppress(Exception):  # whoever uses it will say so
        _module(chosen).prepare(values, settings)


def sender_of(
    address: Mapping[str, Any], config_id: str, settings: Settings, config_path: Path
) -> Sender:
    """What sends a config's result to an address, which is not empty.

    ``config_path``: where the config stands, for a program in the agent's place.

    :raises CloudError: the address is not usable, or something on this server is not.
    """
    if settings.notify:
        return program.Program(settings.notify, config_path)
    return _module(transport(address) or Transport.HEAT).sender(address, config_id, settings)


def queue_of(address: Mapping[str, Any], config_id: str, settings: Settings) -> QueueSender:
    """The deployment's queue, to look at and to clean, whoever sends.

    :raises CloudError: the address names none, or something on this server is not usable.
    """
    found = _module(transport(address) or Transport.QUEUE).sender(address, config_id, settings)
    return cast("QueueSender", found)


def heat_of(address: Mapping[str, Any], settings: Settings) -> Sender:
    """The deployment's resource in Heat, which any address with a user leads to: the fallback.

    :raises CloudError: the address does not name it, or something on this server is not usable.
    """
    return _module(Transport.HEAT).sender(address, "", settings)


def url_of(address: Mapping[str, Any], settings: Settings) -> SignedUrl:
    """A URL that may be told more than a result.

    :raises CloudError: the address is not usable, or something on this server is not.
    """
    return cast("SignedUrl", _module(Transport.URL).sender(address, "", settings))


def _module(chosen: Transport) -> _Module:
    """A transport's module, imported here and nowhere else.

    With requests and keystoneauth that takes 0.3 s, which a server that answers nobody
    must not pay.
    """
    if chosen is Transport.QUEUE:
        from heat_config.signals import zaqar

        return zaqar
    if chosen is Transport.SIGNED:
        from heat_config.signals import signed

        return signed
    if chosen is Transport.URL:
        from heat_config.signals import url

        return url
    from heat_config.signals import heat

    return heat
