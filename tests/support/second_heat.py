# SPDX-License-Identifier: Apache-2.0
"""A second Heat on the lab's database: API and engine, with the plug-in or without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from lab import Lab, config, identity, process
from lab.services import HEAT_ALL
from lab.stack import Heat, wait_for


@contextmanager
def second_heat_without_plugin(lab: Lab) -> Iterator[Heat]:
    """Start one that has not been given the plug-in and its file yet; end it after the block."""
    ports = config.free_ports(["heat", "heat_cfn"])
    conf = lab.directory / "etc/heat-without.conf"
    given = (lab.directory / "etc/heat.conf").read_text()
    empty = lab.directory / "etc/environment.d-without"
    empty.mkdir(exist_ok=True)
    given = re.sub("(?m)^plugin_dirs = .*$", "plugin_dirs =", given)
    conf.write_text(re.sub("(?m)^environment_dir = .*$", f"environment_dir = {empty}", given))
    conf.chmod(0o600)
    numbers = [str(port) for port in ports.values()]
    found: list[process.Process] = []
    child = process.launch(
        "heat-without",
        [lab.python, HEAT_ALL, "--config-file", conf, "127.0.0.1", *numbers],
        log=lab.directory / "log/heat-without.log",
        directory=lab.directory,
        environment=config.environment(lab.directory),
        death_signal="KILL",
        record=found.append,
    )
    url = f"http://127.0.0.1:{ports['heat']}"
    try:
        wait_for("the second Heat", lambda: identity.answers(f"{url}/"))
        path = urlsplit(lab.endpoints["orchestration"]).path
        yield Heat(lab.environment(), url + path)
    finally:
        process.stop(found, lab.directory)
        child.wait()
        conf.unlink()
