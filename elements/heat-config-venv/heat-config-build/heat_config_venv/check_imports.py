# SPDX-License-Identifier: Apache-2.0
"""Load everything that a server runs from its environment, or fail.

A program of its own, which the environment's own interpreter runs at the end of the build: what is
left out of the image (see left-out) must never be missed there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import ssl
import sys

import certifi

MODULES = """
heat_config.cli
heat_config.collect.loop
heat_config.collect.push
heatclient.v1.client
keystoneauth1.identity.v3
keystoneauth1.session
keystoneclient.v3.client
os_apply_config.apply_config
os_collect_config.collect
os_collect_config.config_drive
os_refresh_config.os_refresh_config
websocket
zaqarclient.auth.keystone
zaqarclient.auth.signed_url
zaqarclient.queues.v2.client
""".split()


def load_modules() -> None:
    """Load the modules."""
    for name in MODULES:
        importlib.import_module(name)


def load_plugins() -> None:
    """Load what zaqarclient finds through entry points at its first use."""
    for group in ("zaqarclient.api", "zaqarclient.transport"):
        points = importlib.metadata.entry_points(group=group)
        if not points:
            raise LookupError(f"no entry point in the group {group}")
        for point in points:
            point.load()


def make_clients() -> None:
    """Make the clients as far as that goes without a network."""
    from heatclient import client as heat
    from zaqarclient.queues import client as zaqar

    heat.Client("1", "http://localhost:1/v1/p", token="none")
    options = {"auth_opts": {"backend": "noauth", "options": {}}}
    queues = zaqar.Client("http://localhost:1", version=2, conf=options)
    queues.queue("q", auto_create=False)


def render_template() -> None:
    """Render what os-apply-config writes at each change."""
    from os_apply_config import apply_config

    deployments = [{"id": "1", "config": "\u00fc"}]
    text = apply_config.render_moustache("{{deployments}}", {"deployments": deployments})
    if json.loads(text) != deployments:
        raise ValueError(f"os-apply-config rendered {text!r}")


def load_certificates() -> None:
    """Check that the link to the system's certificates leads to some."""
    if not ssl.create_default_context(cafile=certifi.where()).get_ca_certs():
        raise LookupError(f"no CA certificate in {certifi.where()}")


def main() -> None:
    """Load all of it."""
    load_modules()
    load_plugins()
    make_clients()
    render_template()
    load_certificates()
    print(f"{sys.executable}: all that a server runs can be loaded")


if __name__ == "__main__":
    main()
