# SPDX-License-Identifier: Apache-2.0
"""How a result gets back to Heat, chosen by the deployment's own inputs.

Importing this package costs nothing: each transport, and the libraries that it
needs, is imported when there is something to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from heat_config.delivery.outbox import Entry
    from heat_config.settings import Settings
    from heat_config.signals.sender import Sender

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


def prepare(values: Mapping[str, Any], settings: Settings) -> None:
    """Import what will send this deployment's result, and log in, in a thread of its own.

    That takes longer than many a hook, and beside one it costs no time.
    """
    name = transport(values)
    if name is None or settings.notify:
        return
    from contextlib import suppress
    from threading import Thread

    with suppress(RuntimeError):  # no more threads here: then it is done after the run
        Thread(target=_prepare, args=(name, values, settings), name="prepare").start()


def _prepare(name: str, values: Mapping[str, Any], settings: Settings) -> None:
    from contextlib import suppress
    from importlib import import_module

    with suppress(Exception):  # whoever uses it will say so
        import_module(f"{__name__}.{name}")
        if name != "url":
            from heat_config.cloud import keystone

            keystone.user_of(values, settings).token()


def sender_for(
    entry: Entry,
    settings: Settings,
    config: Path,
    before_heat: Callable[[], None] = lambda: None,
) -> Sender:
    """What sends this result.

    ``config``: where its config stands.
    ``before_heat``: called before Heat is told what was to go to a queue, to note that.

    :raises CloudError: the address is not usable.
    """
    if settings.notify:
        from heat_config.signals import program

        return program.Program(settings.notify, config)
    name = transport(entry.values)
    if name == "zaqar":
        from heat_config.signals import zaqar

        return zaqar.Queue(entry, settings, before_heat)
    if name == "url":
        from heat_config.signals import url

        return url.SignedUrl(entry, settings)
    from heat_config.signals import heat

    return heat.Resource(entry, settings)
