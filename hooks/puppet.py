#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``puppet``: a manifest, with the inputs as facts.

Outputs are the files ``${facts['heat_outputs_path']}.<name>`` that the manifest writes.
"""

import os
import re
import socket
import sys
from pathlib import Path

from heat_config import files, hookkit
from heat_config.hookkit.tool import not_used
from heat_config.result import Result

# The second is where the packages of Puppet's maker have it.
TOOL = hookkit.Tool("HEAT_PUPPET_CMD", ("puppet", "/opt/puppetlabs/bin/puppet"), "puppet-agent")
# Of --detailed-exitcodes: nothing to change, and all changed.
GOOD = (0, 2)
LOGS = "/var/log/puppet"


def run(config: hookkit.Config) -> Result:
    """Write the manifest, and Hiera's data where they are asked for; apply it."""
    not_used("HEAT_PUPPET_LOGDIR", "all that puppet writes is in this log")
    puppet = TOOL.find()
    place = hookkit.workplace("puppet", config)
    facts = {"fqdn": socket.getfqdn(), "heat_outputs_path": str(place.prefix)}
    if config.flag("enable_facter", default=True):
        facts |= config.environment()
    if config.flag("enable_hiera"):
        facts["deploy_config_name"] = write_hiera_data(config)
    manifest = place.folder / f"{config.id}.pp"
    files.write_private(manifest, config.text())
    given = {f"FACTER_{name}": value for name, value in facts.items()}
    # In another locale a fact that is not ASCII is empty.
    environment = {**os.environ, **given, "LC_ALL": "C.UTF-8"}
    argv = [puppet, *arguments(config), str(manifest)]
    reasons = hookkit.Reasons(("Error: ",), others=("Warning: ", "Notice: "))
    completed = hookkit.run(argv, env=environment, cwd=place.folder, watch=reasons.watch)
    result = hookkit.result(completed, place.outputs)
    return result._replace(status_code=0) if completed.returncode in GOOD else reasons.first(result)


def write_hiera_data(config: hookkit.Config) -> str:
    """Write the inputs as Hiera's data; return the name by which a hierarchy finds them."""
    folder = hookkit.folder("HEAT_PUPPET_HIERA_DATADIR", "/etc/puppet/hieradata")
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", config.name)
    files.write_durably(folder / f"heat_config_{name}.json", hookkit.as_json(config.values))
    return name


def arguments(config: hookkit.Config) -> list[str]:
    """What ``puppet apply`` is given before the manifest."""
    words = ["apply", "--color=false", "--detailed-exitcodes", "--logdest=console"]
    words += config.arguments(("modulepath", "--modulepath", ":"), ("tags", "--tags", ","))
    for kind in ("debug", "verbose"):
        if config.flag(f"enable_{kind}"):
            Path(LOGS).mkdir(parents=True, exist_ok=True)
            words += [f"--{kind}", f"--logdest={LOGS}/heat-{kind}.log"]
    return words


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
