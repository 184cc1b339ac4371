# SPDX-License-Identifier: Apache-2.0
"""Templates for the plug-in's tests, and its options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab import Lab
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


@contextmanager
def configured(lab: Lab, section: str = "heat_config", **options: object) -> Iterator[None]:
    """Heat with options of a section of heat.conf, within the block."""
    conf = lab.directory / "etc/heat.conf"
    before = conf.read_text()
    lines = [f"{name} = {value}" for name, value in options.items()]
    conf.write_text("\n".join([before, f"[{section}]", *lines, ""]))
    restart_heat(lab)
    try:
        yield
    finally:
        conf.write_text(before)
        restart_heat(lab)


def restart_heat(lab: Lab) -> None:
    """Let Heat read its configuration again."""
    lab.stop("heat")
    lab.start("heat")
