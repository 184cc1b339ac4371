#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``salt``: a state, which ``salt-call`` applies without a master.

The inputs are pillar, and what heat-agents made of them too: the minion's options, which it was
that salt showed as ``pillar['master']``. Outputs are the files
``{{ pillar['heat_outputs_path'] }}.<name>`` that the state writes.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from heat_config import files, hookkit
from heat_config.result import Result

TOOL = hookkit.Tool("HEAT_SALT_CMD", ("salt-call",), "salt-minion")

INPUTS = "heat_inputs"
# For the state alone: an input that has the name of one of salt's own options must not set it.
AS_OPTIONS = f"{{% set opts = dict(opts, **pillar['{INPUTS}']) %}}"
# Salt's option pillar_opts, on by default up to 2014.7, puts the options there, over the pillar.
AS_MASTER = "{% set pillar = dict(pillar, master=opts) %}"


def run(config: hookkit.Config) -> Result:
    """Write the state and, where secrets lie, the pillar, and apply it."""
    salt = TOOL.find()
    place = hookkit.workplace("salt", config)
    files.write_private(place.folder / f"{config.id}.sls", state_of(config))
    pillar = hookkit.secrets_folder() / "pillar"
    write_pillar(pillar, pillar_of(config.values, str(place.prefix)))
    minion = Path(os.environ.get("SALT_MINION_CONFIG") or "/etc/salt/minion").parent
    argv = [salt, "--local", f"--config-dir={minion}", "--out=json", "--no-color"]
    argv += ["--retcode-passthrough", f"--file-root={place.folder}", f"--pillar-root={pillar}"]
    completed = hookkit.run([*argv, "state.sls", config.id], env=os.environ, cwd=place.folder)
    result = hookkit.result(completed, place.outputs)
    if not result.failed:
        return result
    return result._replace(stderr=hookkit.led_by(reasons(result.stdout), result.stderr))


def state_of(config: hookkit.Config) -> str:
    """The config as text; one that mentions them gets the inputs as options, too.

    :raises HookError: it is neither a text nor a map.
    """
    given = config.config
    text = given if isinstance(given, str) else hookkit.as_yaml(hookkit.map_of(given, "the config"))
    renderers, newline, state = text.partition("\n") if text.startswith("#!") else ("", "", text)
    is_jinja = renderers[2:].split("|")[0].strip() in ("", "jinja")
    if not is_jinja or not any(word in state for word in ("opts", "master")):
        return text
    more = AS_OPTIONS if "master" in config.values else AS_OPTIONS + AS_MASTER
    return f"{renderers}{newline}{more}{state}"


def pillar_of(values: Mapping[str, object], outputs_path: str) -> dict[str, object]:
    """The inputs as pillar: each by its name, unless that is taken, and all of them together."""
    return {"master": values, **values, INPUTS: values, "heat_outputs_path": outputs_path}


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
