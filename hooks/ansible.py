#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``ansible``: a playbook, with the inputs as extra variables.

The config is the playbook, or a map of files, among which roles may be. Outputs are
the files ``{{ heat_outputs_path }}.<name>`` that the playbook writes.
"""

import os
import sys
from pathlib import Path

from heat_config import files, hookkit
from heat_config.result import Result

TOOL = hookkit.Tool("HEAT_ANSIBLE_CMD", ("ansible-playbook",), "ansible-core")
PLAYBOOKS = ("site.yml", "site.yaml", "playbook.yml", "playbook.yaml", "main.yml", "main.yaml")
LOCALHOST = "localhost,"
ERRORS = ("fatal: ", "failed: ", "ERROR! ", "[ERROR]: ")


def run(config: hookkit.Config) -> Result:
    """Write the playbook and the variables, and run it; the variables are removed again."""
    ansible = TOOL.find()
    if not config.config:
        return Result(0, stderr="the config is empty: there is no playbook to run\n")
    place = hookkit.workplace("ansible", config)
    for left in place.folder.glob("*_variables.json"):  # heat-agents leaves every input there
        left.unlink()
    playbook = write_playbook(config, place.folder)
    ours = {"heat_config_id": config.id, "heat_outputs_path": str(place.prefix)}
    path = hookkit.secrets_folder() / "variables.json"
    # A failure before the last may have been ignored, or rescued.
    reasons = hookkit.Reasons(ERRORS, others=("[WARNING]: ", "[DEPRECATION WARNING]: "))
    with hookkit.secret_file(path, {**config.values, **ours}):
        argv = [ansible, *arguments(config), f"--extra-vars=@{path}", str(playbook)]
        completed = hookkit.run(argv, env=variables(config), cwd=place.folder, watch=reasons.watch)
    return reasons.first(hookkit.result(completed, place.outputs))


def write_playbook(config: hookkit.Config, working: Path) -> Path:
    """Write the config; return the playbook's path.

    :raises hookkit.HookError: there is no playbook in it.
    """
    if isinstance(config.config, str):
        path = working / f"{config.id}_playbook.yaml"
        files.write_private(path, config.config)
        return path
    wanted = hookkit.map_of(config.config, "the config")
    found = [name for name in PLAYBOOKS if name in wanted]
    if not found:
        raise hookkit.HookError(f"there is no playbook in the config: no {' or '.join(PLAYBOOKS)}")
    hookkit.write_files(working / config.id, wanted)
    return working / config.id / found[0]


def inventory(config: hookkit.Config) -> str:
    """The option's, or the server's own."""
    default = os.environ.get("HEAT_ANSIBLE_INVENTORY") or LOCALHOST
    return str(config.options.get("inventory") or default)


def arguments(config: hookkit.Config) -> list[str]:
    """What ansible-playbook is given before the variables and the playbook."""
    known = config.arguments(
        ("tags", "--tags", ","),
        ("skip_tags", "--skip-tags", ","),
        ("modulepath", "--module-path", ":"),
    )
    verbosity = min(int(config.number("verbosity", 0)), 6)
    return [f"--inventory={inventory(config)}", *known, *["-v"] * verbosity]


def variables(config: hookkit.Config) -> dict[str, str]:
    """Ansible's environment. What os-collect-config's service sets comes before ours."""
    ours = {"ANSIBLE_DISPLAY_FAILED_STDERR": "1", "ANSIBLE_NOCOLOR": "1"}
    # What it makes of templates is there for a moment; a run that is killed leaves it behind.
    ours["ANSIBLE_LOCAL_TEMP"] = str(hookkit.secrets_folder())
    if inventory(config) == LOCALHOST:
        ours["ANSIBLE_TRANSPORT"] = "local"  # this server needs no ssh to itself
    callbacks = config.joined("callback_plugins", ":")
    given = {"ANSIBLE_CALLBACK_PLUGINS": callbacks} if callbacks else {}
    # It does not start in a locale that is not UTF-8.
    return {**ours, **os.environ, **given, "LC_ALL": "C.UTF-8"}


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
