# SPDX-License-Identifier: Apache-2.0
"""Which transport a resource uses: what the template asks, the cloud has and its agents understand.

No I/O: who asks brings what the catalog has.
"""

from __future__ import annotations

from typing import NamedTuple

AUTO = "AUTO"
"""Zaqar where the cloud has it. Decided once, when the resource is made."""

ZAQAR_MESSAGE = "ZAQAR_MESSAGE"
"""Of a deployment: a signed address in place of a user. Of a server: Heat's own transport."""
ZAQAR_SIGNAL = "ZAQAR_SIGNAL"
"""Of a deployment: Heat's own transport, with a user; read without loss."""
CFN_SIGNAL = "CFN_SIGNAL"
HEAT_SIGNAL = "HEAT_SIGNAL"

ZAQAR_SIGNED = "ZAQAR_SIGNED"
"""Of a server: its metadata come over a queue with a signed address in place of a user."""
POLL_SERVER_CFN = "POLL_SERVER_CFN"

ON_THE_WIRE = ZAQAR_MESSAGE
"""What the input ``deploy_signal_transport`` says where the plug-in reads the queue.

An engine pops from the queue of one that says ZAQAR_SIGNAL, whoever looks at it: an attribute,
a person. To the server it says that its result will be acknowledged.
"""


class Choice(NamedTuple):
    """What AUTO means on a cloud, for one of the two directions."""

    with_zaqar: str
    """Where the catalog has a messaging endpoint."""
    without: str
    """Where it has none; Heat's own default for it unless that is Zaqar, too."""


def signal_choice(understood: str, default: str) -> Choice:
    """What AUTO means for results.

    ``understood``: which transport the agents understand; ``default``: the operator's transport for
    those who ask for none.
    """
    needs_zaqar = (AUTO, ZAQAR_MESSAGE, ZAQAR_SIGNAL)
    return Choice(understood, CFN_SIGNAL if default in needs_zaqar else default)


def for_other_agents(choice: Choice) -> Choice:
    """The same for results of an agent that knows no signed address.

    heat-agents 13.0.0 cannot speak to a queue of Zaqar 22 and later either: its servers answer as
    they would in a cloud without Zaqar.
    """
    if choice.with_zaqar != ZAQAR_MESSAGE:
        return choice
    return choice._replace(with_zaqar=choice.without)


def server_choice(understood: str, default: str) -> Choice:
    """What AUTO means for metadata, of ZAQAR_SIGNED and ZAQAR_MESSAGE: see signal_choice."""
    needs_zaqar = (AUTO, ZAQAR_SIGNED, ZAQAR_MESSAGE)
    return Choice(understood, POLL_SERVER_CFN if default in needs_zaqar else default)


def decide(choice: Choice, *, messaging: bool) -> str:
    """What AUTO becomes; ``messaging``: whether the region's catalog has such an endpoint."""
    return choice.with_zaqar if messaging else choice.without
