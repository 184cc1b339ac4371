# SPDX-License-Identifier: Apache-2.0
"""Templates for the plug-in's tests."""

from __future__ import annotations

from typing import Any

from tests.support.template import template


def one(
    signal_transport: str = "AUTO",
    *,
    value: str = "first",
    server_transport: str = "ZAQAR_MESSAGE",
    **more: Any,
) -> dict[str, Any]:
    """A server and one deployment, ``step``; another ``value`` is another config.

    ``more``: further properties of the deployment.
    """
    wanted = {
        "config": "#!/bin/sh\necho $who",
        "outputs": [{"name": "said"}],
        "values": {"who": value},
    }
    made = template(
        server_transport=server_transport,
        signal_transport=signal_transport,
        deployments={"step": wanted},
    )
    made["resources"]["step_deployment"]["properties"].update(more)
    used = {"get_attr": ["step_deployment", "signal_transport"]}
    made["outputs"]["transport"] = {"value": used}
    return made
