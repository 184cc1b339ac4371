#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``docker-cmd``: containers that docker or podman runs, one after the other.

With ``--remove-vanished``: the containers of configs that are in the metadata no more
are removed, and those that had to be given another name get their own.
"""

import os
import sys

from heat_config import deployment, hookkit, log
from heat_config.hookkit import containers
from heat_config.hookkit.containers import environment, steps
from heat_config.result import Result, text_of

MANAGED = "managed_by=docker-cmd"


def run(config: hookkit.Config) -> Result:
    """Run the containers in their order; the last failure is the status."""
    program = containers.ENGINE.find()
    if config.is_deletion:
        return remove_all(program, config)
    status, stdout, stderr, failed = 0, "", "", ""
    for step in steps.read(config.config):
        given = environment.give(step.environment, f"the container {step.name!r}")
        argv = [program, *command_line(program, step, given.arguments, config)]
        done = hookkit.run(argv, env=given.client)
        stdout += text_of(done.stdout, done.stdout_dropped)
        stderr += text_of(done.stderr, done.stderr_dropped)
        if done.status not in step.exit_codes:
            status = done.status or 1
            failed += f"the container {step.name!r} ({step.action}) {done.ending}\n"
    return Result(status, stdout, hookkit.led_by(failed, stderr) if failed else stderr)


def command_line(
    program: str, step: steps.Step, variables: list[str], config: hookkit.Config
) -> list[str]:
    """What docker or podman is given."""
    if step.action == "exec":
        first, *rest = step.command
        # A container of this config may have been given another name.
        own = containers.with_labels(program, f"container_name={first}", f"config_id={config.id}")
        return ["exec", *step.arguments, own[0].name if own else first, *rest]
    labels = {
        "deploy_stack_id": config.values.get("deploy_stack_id"),
        "deploy_resource_name": config.values.get("deploy_resource_name"),
        "config_id": config.id,
        "container_name": step.name,
        "managed_by": "docker-cmd",
    }
    given = [f"--label={key}={value}" for key, value in labels.items()]
    name = f"--name={containers.free_name(program, step.name)}"
    return ["run", name, *given, *step.arguments, *variables, step.image, *step.command]


def remove_all(program: str, config: hookkit.Config) -> Result:
    """Remove every container of the deployment, whatever config it came from."""
    names = ("deploy_stack_id", "deploy_resource_name")
    labels = [f"{name}={config.values.get(name)}" for name in names]
    found = containers.with_labels(program, MANAGED, *labels)
    return hookkit.result(containers.remove(program, found)) if found else Result(0)


def remove_vanished(present: list[deployment.Deployment]) -> None:
    """Remove the containers of configs that are not present; then give names back."""
    program = containers.ENGINE.find()
    ids = {"", *(each.id for each in present)}
    for each in containers.with_labels(program, MANAGED):
        if each.label("config_id") not in ids:
            config_id = each.label("config_id")
            log.plain(f"removing {each.name}: its config {config_id} is in the metadata no more")
            containers.remove(program, [each])
    for each in containers.with_labels(program, MANAGED):
        wanted = each.label("container_name") or each.name
        if each.name != wanted and containers.free_name(program, wanted) == wanted:
            hookkit.run([program, "rename", each.name, wanted], env=os.environ)


if __name__ == "__main__":
    sys.exit(containers.main(run, remove_vanished))
