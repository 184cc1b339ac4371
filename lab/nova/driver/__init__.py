# SPDX-License-Identifier: Apache-2.0
"""Neutron's part of plugging a server in: every port is a tap of Nova's own making.

This folder is on Neutron's PYTHONPATH; the ``dist-info`` beside this file names the driver to it.
bridge.py then does what an agent would: it puts the tap on the bridge.

Source: ``neutron_lib.plugins.ml2.api.MechanismDriver``, ``nova.virt.libvirt.vif`` (``plug_tap``).
"""

# Neutron is in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported,misc"

from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class TapDriver(api.MechanismDriver):
    """Binds each port to the first segment of its network, wherever it is asked for."""

    def initialize(self) -> None:
        """There is nothing to set up."""

    def bind_port(self, context: Any) -> None:
        """Say that Nova makes the tap, and that the port is up."""
        segment = context.segments_to_bind[0]
        details = {portbindings.CAP_PORT_FILTER: False}
        context.set_binding(
            segment[api.ID], portbindings.VIF_TYPE_TAP, details, constants.PORT_STATUS_ACTIVE
        )
