# SPDX-License-Identifier: Apache-2.0
"""The operator's options: the section ``heat_config`` of heat.conf."""

from __future__ import annotations

from oslo_config import cfg

from heat_plugin.transport import (
    AUTO,
    CFN_SIGNAL,
    HEAT_SIGNAL,
    ZAQAR_MESSAGE,
    ZAQAR_SIGNAL,
    ZAQAR_SIGNED,
    Choice,
    for_other_agents,
    server_choice,
    signal_choice,
)

OPTIONS = [
    cfg.StrOpt(
        "default_signal_transport",
        choices=[AUTO, ZAQAR_MESSAGE],
        help="The signal_transport of deployments whose template names none. Without it: Heat's "
        "own default_deployment_signal_transport.",
    ),
    cfg.StrOpt(
        "default_software_config_transport",
        choices=[AUTO, ZAQAR_SIGNED],
        help="The software_config_transport of servers whose template names none. Without it: "
        "Heat's own default_software_config_transport.",
    ),
    cfg.StrOpt(
        "auto_signal_transport",
        default=ZAQAR_MESSAGE,
        choices=[ZAQAR_MESSAGE, ZAQAR_SIGNAL, CFN_SIGNAL, HEAT_SIGNAL],
        help="What AUTO means for deployments where the catalog has a messaging endpoint. "
        "CFN_SIGNAL or HEAT_SIGNAL where servers run heat-agents; ZAQAR_SIGNAL, with a user for "
        "each, where they run another agent that speaks version 2 of Zaqar's API.",
    ),
    cfg.StrOpt(
        "auto_software_config_transport",
        default=ZAQAR_SIGNED,
        choices=[ZAQAR_SIGNED, ZAQAR_MESSAGE],
        help="What AUTO means for servers where the catalog has a messaging endpoint. "
        "ZAQAR_MESSAGE, with a user for each, where servers run another agent than heat-config.",
    ),
    cfg.BoolOpt(
        "default_progress",
        default=False,
        help="Whether deployments whose template does not say so (property progress) say how far "
        "they are while they run: for openstack software deployment follow.",
    ),
    cfg.IntOpt(
        "server_address_life",
        default=3650 * 86_400,
        min=3600,
        help="Seconds that a server's signed address opens its queue. An update of its stack makes "
        "a new one when half of them are over; a stack that rests for longer has lost its server.",
    ),
    cfg.IntOpt(
        "metadata_again_after",
        default=300,
        min=1,
        max=1800,
        help="Seconds after which a server's metadata are posted again while a deployment of its "
        "own is unanswered; then twice as long each time, up to 1800.",
    ),
]

cfg.CONF.register_opts(OPTIONS, group="heat_config")
cfg.CONF.import_opt("default_deployment_signal_transport", "heat.common.config")
cfg.CONF.import_opt("default_software_config_transport", "heat.common.config")


def default_signal() -> str:
    """The transport of a deployment that names none."""
    own = cfg.CONF.heat_config.default_signal_transport
    return str(own or cfg.CONF.default_deployment_signal_transport)


def default_server() -> str:
    """The transport of a server that names none."""
    own = cfg.CONF.heat_config.default_software_config_transport
    return str(own or cfg.CONF.default_software_config_transport)


def auto_signal() -> Choice:
    """What AUTO means for a deployment."""
    return _signal(cfg.CONF.heat_config.auto_signal_transport)


def auto_signal_with_user() -> Choice:
    """What it means in a stack whose servers have another agent than heat-config."""
    return for_other_agents(auto_signal())


def _signal(understood: str) -> Choice:
    return signal_choice(understood, cfg.CONF.default_deployment_signal_transport)


def default_progress() -> bool:
    """Whether a deployment says how far it is when its template names no progress."""
    return bool(cfg.CONF.heat_config.default_progress)


def server_address_life() -> int:
    """Seconds that a server's address opens its queue."""
    return int(cfg.CONF.heat_config.server_address_life)


def metadata_again_after() -> float:
    """Seconds from the first post of metadata to the second: see heat_plugin.pacing."""
    return float(cfg.CONF.heat_config.metadata_again_after)


def auto_server() -> Choice:
    """What AUTO means for a server."""
    return _server(cfg.CONF.heat_config.auto_software_config_transport)


def auto_server_with_user() -> Choice:
    """What it means in a stack whose servers have another agent than heat-config."""
    return _server(ZAQAR_MESSAGE)


def _server(understood: str) -> Choice:
    return server_choice(understood, cfg.CONF.default_software_config_transport)
