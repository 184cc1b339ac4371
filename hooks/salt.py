#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``salt``: a state, which ``salt-call`` applies without a master.

The inputs are pillar. Outputs are the files ``{{ pillar['heat_outputs_path'] }}.<name>``
that the state writes.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from heat_config import files, hookkit
from heat_config.result import Result

TOOL = hookkit.Tool("HEAT_SALT_CMD", ("salt-call",), "salt-minion")


def run(config: hookkit.Config) -> Result:
    """Write the state and, where secrets lie, the pillar, and apply it."""
    salt = TOOL.find()
    place = hookkit.workplace("salt", config)
    given = config.config
    state = (
        given if isinstance(given, str) else hookkit.as_yaml(hookkit.map_of(given, "the config"))
    )
    files.write_private(place.folder / f"{config.id}.sls", state)
    pillar = hookkit.secrets_folder() / "pillar"
    write_pillar(pillar, {**config.values, "heat_outputs_path": str(place.prefix)})
    minion = Path(os.environ.get("SALT_MINION_CONFIG") or "/etc/salt/minion").parent
    argv = [salt, "--local", f"--config-dir={minion}", "--out=json", "--no-color"]
    argv += ["--retcode-passthrough", f"--file-root={place.folder}", f"--pillar-root={pillar}"]
    completed = hookkit.run([*argv, "state.sls", config.id], env=os.environ, cwd=place.folder)
    result = hookkit.result(completed, place.outputs)
    if not result.failed:
        return result
    return result._replace(stderr=hookkit.led_by(reasons(result.stdout), result.stderr))


def write_pillar(folder: Path, values: Mapping[str, object]) -> None:
    """Write a pillar tree with these values, for every minion: there is only one."""
    files.make_private_folder(folder)
    files.write_private(folder / "top.sls", "base:\n  '*':\n    - heat\n")
    files.write_private(folder / "heat.sls", f"#!json\n{hookkit.as_json(values)}")


def reasons(stdout: str) -> str:
    """Why states have failed, from salt's answer; nothing when that cannot be read."""
    try:
        answer = json.loads(stdout)["local"]
    except (ValueError, KeyError, TypeError):
        return ""
    if not isinstance(answer, dict):
        return "".join(f"{line}\n" for line in hookkit.texts(answer, "salt's answer"))
    return "".join(
        f"{each.get('__id__', name)}: {each.get('comment', '')}\n"
        for name, each in answer.items()
        if isinstance(each, dict) and each.get("result") is False
    )


if __name__ == "__main__":
    sys.exit(hookkit.main(run))
