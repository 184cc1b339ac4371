# SPDX-License-Identifier: Apache-2.0
"""How a result gets back to Heat, chosen by the deployment's own inputs.

Importing this package costs nothing: each transport, and the libraries that it
needs, is imported when there is something to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heat_config.result import Result
    from heat_config.settings import Settings

# The input whose presence chooses a transport, in the order of preference.
# Source: OS::Heat::SoftwareDeployment, _build_derived_inputs.
_TRANSPORTS = (
    ("deploy_queue_id", "zaqar"),
    ("deploy_signal_id", "url"),
    ("deploy_auth_url", "heat"),
)


def transport(values: Mapping[str, Any]) -> str | None:
    """The module that sends this deployment's result; None when none is wanted."""
    return next((module for name, module in _TRANSPORTS if values.get(name)), None)


def address(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that say where the result goes; none when nobody waits for it."""
    if transport(values) is None:
        return {}
    return {name: value for name, value in values.items() if name.startswith("deploy_")}


def send(
    config_id: str, values: Mapping[str, Any], message: Mapping[str, Any], settings: Settings
) -> str:
    """Send a result until it is accepted or cannot be; return where it went.

    :raises SignalError: it was not accepted.
    """
    from heat_config import result
    from heat_config.signals import retry

    sender = _sender(config_id, values, settings)
    return retry.until_accepted(sender, result.from_dict(dict(message)))


def _sender(
    config_id: str, values: Mapping[str, Any], settings: Settings
) -> Callable[[Result], str]:
    name = transport(values)
    if name == "zaqar":
        from heat_config.signals import zaqar

        return zaqar.Queue(config_id, values, settings).send
    if name == "url":
        from heat_config.signals import url

        return url.SignedUrl(values, settings).send
    from heat_config.signals import heat

    return heat.Resource(values, settings).send
