#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``docker-compose``: a compose file, brought up as the project of its name.

With ``--remove-vanished``: projects whose deployment is in the metadata no more are
brought down.
"""

import sys
from pathlib import Path

from heat_config import deployment, hookkit, log
from heat_config.hookkit import containers
from heat_config.hookkit.containers import compose
from heat_config.result import Result


def run(config: hookkit.Config) -> Result:
    """Write the project and bring it up; on DELETE bring it down."""
    program = compose.find()
    project = compose.Project.of(config.name)
    if config.is_deletion:
        return hookkit.result(project.down(program)) if project.exists else Result(0)
    wanted = hookkit.map_of(config.config or None, "the config")
    if not wanted:
        return Result(0)
    env_files = compose.env_files(config.values.get("env_files"))
    if project.exists and Path(program[0]).name == "podman-compose":
        # It leaves the containers of services that are no longer in the file.
        project.stop(program)
    project.write(wanted, env_files)
    return hookkit.result(project.up(program))


def remove_vanished(present: list[deployment.Deployment]) -> None:
    """Bring down the projects whose deployment is not present."""
    names = {each.name for each in present}
    for project in compose.Project.all():
        if project.folder.name not in names:
            log.plain(f"bringing down {project.folder.name}: it is in the metadata no more")
            project.down(compose.find())


if __name__ == "__main__":
    sys.exit(containers.main(run, remove_vanished))
