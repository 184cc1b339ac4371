#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``chef``: a run list, which Chef or Cinc runs in local mode.

Outputs are the files ``$heat_outputs_path.<name>`` that a recipe writes.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote

from heat_config import files, hookkit
from heat_config.result import Result

TOOL = hookkit.Tool("HEAT_CHEF_CMD", ("chef-client", "cinc-client"), "chef or cinc")
GIT = hookkit.Tool("HEAT_GIT_CMD", ("git",), "git")
WITH_CREDENTIALS = re.compile(r"(https?://)([^/]*)@([^/@]*)(.*)", re.IGNORECASE | re.DOTALL)
# A helper of git's: a shell, whose own printf has the two.
ANSWER_TO_GIT = (
    """!f() { printf 'username=%s\\npassword=%s\\n' "$HEAT_GIT_USER" "$HEAT_GIT_PASSWORD"; }; f"""
)


def run(config: hookkit.Config) -> Result:
    """Fetch the kitchen, write the client's configuration and the node's attributes, run it."""
    chef = TOOL.find()
    run_list = read_run_list(config.config)
    place = hookkit.workplace("chef", config)
    kitchen = Path(str(config.options.get("kitchen_path") or place.folder / "kitchen"))
    if config.options.get("kitchen"):
        fetched = fetch(str(config.options["kitchen"]), kitchen)
        if fetched.failed:
            return fetched
    values = dict(config.values)
    client = place.folder / "client.rb"
    files.write_private(client, client_config(place.folder, kitchen, values.pop("environment", "")))
    attributes = {name: values[name] for name in values if not name.startswith("deploy_")}
    node = {**attributes, "run_list": run_list}
    with hookkit.secret_file(hookkit.secrets_folder() / "node.json", node) as path:
        argv = [chef, "-z", "--config", str(client), "-j", str(path)]
        variables = {**os.environ, "heat_outputs_path": str(place.prefix)}
        completed = hookkit.run(argv, env=variables, cwd=place.folder)
    return hookkit.result(completed, place.outputs)


def read_run_list(config: object) -> list[str]:
    """The config: a list of recipes and roles, or the JSON of one.

    :raises hookkit.HookError: it is something else.
    """
    given = hookkit.parsed(config, "the config")
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        what = hookkit.kind(given)
        raise hookkit.HookError(f"the config is {what}, not a list of recipes and roles")
    return given


def fetch(address: str, kitchen: Path) -> Result:
    """Clone the kitchen beside its place; the old one stays until that has succeeded."""
    fresh = kitchen.with_name(f".{kitchen.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    files.make_private_folder(kitchen.parent)
    plain, variables = apart(address)
    argv: list[str | Path] = [GIT.find(), "clone", "--quiet", "--", plain, fresh]
    cloned = hookkit.run(argv, env={**os.environ, **variables})
    if cloned.status == 0:
        shutil.rmtree(kitchen, ignore_errors=True)
        fresh.rename(kitchen)
    return hookkit.result(cloned)


def apart(address: str) -> tuple[str, dict[str, str]]:
    """An address without its user and password, and the variables by which git has them.

    Everybody on a server can read git's arguments, and those of the helper that it starts.
    Git (2.31 or later) asks the shell for them only where the address itself leads.
    """
    found = WITH_CREDENTIALS.fullmatch(address)
    if not found:
        return address, {}
    scheme, credentials, host, path = found.groups()
    user, _, password = credentials.partition(":")
    number = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    return f"{scheme}{host}{path}", {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": f"credential.{scheme}{host}.helper",
        f"GIT_CONFIG_VALUE_{number}": ANSWER_TO_GIT,
        "HEAT_GIT_USER": unquote(user),
        "HEAT_GIT_PASSWORD": unquote(password),
    }


def client_config(working: Path, kitchen: Path, environment: object) -> str:
    """The client's configuration, which is Ruby."""
    paths = {f"{kind}_path": kitchen / f"{kind}s" for kind in ("cookbook", "role", "environment")}
    settings: dict[str, object] = {"node_path": working / "node", **paths}
    if environment:
        settings["environment"] = environment
    fixed = ["log_level :info", "log_location STDOUT", "local_mode true", "chef_zero.enabled true"]
    return "\n".join([*fixed, *(f"{key} {ruby(value)}" for key, value in settings.items()), ""])


def ruby(value: object) -> str:
    """A text as Ruby writes it."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
