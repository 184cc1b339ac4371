# SPDX-License-Identifier: Apache-2.0
"""Settings, hooks' outputs and the server's own files, of which none can be used."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployments import script
from tests.support.hostile import on_disk, outputs, settings
from tests.support.hostile.world import World, assert_foreseen


@pytest.mark.parametrize("nth", range(9))
def test_settings(server: World, nth: int) -> None:
    """The nth unusable value of each option, all at once."""
    section = json.loads(json.dumps(server.section))
    by_option: dict[str, list[Any]] = {}
    for name, value in settings.inputs().values():
        by_option.setdefault(name, []).append(value)
    for name, values in by_option.items():
        group, _, option = name.rpartition(".")
        if nth < len(values):
            (section.setdefault(group, {}) if group else section)[option] = values[nth]
    good = server.good()

    log = server.post({"os-collect-config": section, "deployments": [good]})

    assert_foreseen(log)
    assert server.has_succeeded(good["id"]), log[-3000:]
    server.assert_well()


def test_what_a_hook_prints(server: World) -> None:
    hook = server.server.hooks / "hostile"
    hook.write_text(
        "#!/bin/sh\nexec python3 -c '"
        'import base64, json, sys; found = json.load(sys.stdin)["config"]; '
        'sys.stdout.buffer.write(base64.b64decode(found["out"])); sys.exit(found["status"])\'\n'
    )
    hook.chmod(0o755)
    asked = {f"output-{number}": each for number, each in enumerate(outputs.INPUTS.values())}
    items = [
        {
            **script("", config_id=config_id, inputs=server.to(config_id), group="hostile"),
            "config": {"out": base64.b64encode(printed).decode(), "status": status},
        }
        for config_id, (printed, status) in asked.items()
    ]
    last = server.good()

    log = server.post(server.metadata(*items, last))

    assert_foreseen(log)
    missing = [each for each in (*asked, last["id"]) if server.results.of(each) is None]
    assert missing == []
    server.assert_well()


@pytest.mark.parametrize("content", on_disk.CONTENTS)
def test_files_on_disk(server: World, content: str) -> None:
    """Each of the server's own files at once."""
    kept = server.good()
    server.post(server.metadata(kept))
    for path, text in on_disk.inputs().values():
        if text == on_disk.CONTENTS[content]:
            target: Path = server.server.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
    log = server.poll()
    assert_foreseen(log)
    server.assert_well(kept["id"])
    for path in on_disk.FILES:
        if "stray" in path:
            (server.server.root / path).unlink(missing_ok=True)
