# SPDX-License-Identifier: Apache-2.0
"""Whatever comes: the others are run, nothing is removed, it is said, and the next good one heals.

Each goes through the collector, os-apply-config, the agent and ``heat-config status`` as the
processes that they are on a server.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployments import script, to
from tests.support.hostile import answers, deployments, messages, on_disk, outputs, settings
from tests.support.hostile.world import UNFORESEEN, World

BATCHES = deployments.inputs(script("true", config_id="hostile", inputs=to("http://x/hostile")))


def assert_foreseen(log: str) -> None:
    """No line tells of an error that nobody has thought of."""
    found = [line for line in log.splitlines() if any(each in line for each in UNFORESEEN)]
    assert not found, log[-3000:]


def assert_healthy(server: World, *ids: str) -> None:
    """The next good metadata are applied, run and answered, and the status can be read."""
    good = server.good()
    assert_foreseen(server.post(server.metadata(good)))
    for each in (*ids, good["id"]):
        assert server.has_succeeded(each), each
    assert server.asked() == [good["id"]]
    status = server.status()
    assert status.returncode == 0, status
    (row,) = json.loads(status.stdout)
    assert (row["id"], row["signal"]) == (good["id"], "delivered")
    server.is_healthy = True


@pytest.mark.parametrize("part", BATCHES)
def test_a_deployment(server: World, part: str) -> None:
    """All values of one part at once, each with an id and an address of its own."""
    first, last = server.good(), server.good()
    texts = {}
    for number, (value, text) in enumerate(BATCHES[part].items()):
        config_id = f"{part.replace(' ', '-')}-{number}"
        url = f"http://127.0.0.1:{server.results.server_port}/{config_id}"
        texts[value] = text.replace('"hostile"', f'"{config_id}"').replace("http://x/hostile", url)

    log = server.post_deployments(json.dumps(first), *texts.values(), json.dumps(last))

    assert_foreseen(log)
    for each in (first, last):
        assert server.has_succeeded(each["id"]), log[-3000:]
    assert server.status().returncode in (0, 1, 2)
    assert_healthy(server)


@pytest.mark.parametrize("name", messages.INPUTS)
def test_a_message(server: World, name: str) -> None:
    kept = server.good()
    server.post(server.metadata(kept))

    log = server.post_text(messages.INPUTS[name])
    server.change_another_source()
    log += server.poll()

    assert_foreseen(log)
    assert kept["id"] in server.asked() or '"deployments": ' in messages.INPUTS[name]
    assert server.queue.there == {}
    assert_healthy(server, kept["id"])


@pytest.mark.parametrize("name", answers.INPUTS)
def test_an_answer(server: World, name: str) -> None:
    kept = server.good()
    server.post(server.metadata(kept))
    server.queue.listing = answers.INPUTS[name]
    try:
        server.change_another_source()
        log = server.poll()
    finally:
        server.queue.listing = None

    assert_foreseen(log)
    assert server.asked() == [kept["id"]]
    assert_healthy(server, kept["id"])


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
    assert_healthy(server)


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
    assert_healthy(server)


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
    assert_healthy(server, kept["id"])
    for path in on_disk.FILES:
        if "stray" in path:
            (server.server.root / path).unlink(missing_ok=True)
