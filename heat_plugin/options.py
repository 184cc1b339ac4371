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
    heats = cfg.CONF.default_deployment_signal_transport
    return signal_choice(cfg.CONF.heat_config.auto_signal_transport, heats)


def auto_server() -> Choice:
    """What AUTO means for a server."""
    heats = cfg.CONF.default_software_config_transport
    return server_choice(cfg.CONF.heat_config.auto_software_config_transport, heats)
