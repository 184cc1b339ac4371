# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of what comes from outside, and of what a crash has left on the disk.

Messages, metadata, hooks' answers, and the entries of the outbox.

``make fuzz SECONDS=3600`` runs it. What it has found is in .cache/fuzz; to try such a file again::

    .tox/fuzz/bin/python tests/fuzz/fuzz_metadata.py .cache/fuzz/crash-…
"""

from __future__ import annotations

import json
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["heat_config", "json"]):
    from heat_config import deployment, readable, result, signals, terminal
    from heat_config.collect import metadata
    from heat_config.delivery import entry
    from heat_config.mask import SHORTEST_SECRET, Mask
    from heat_config.process import Completed

LIMIT = 4096
WORDS = [
    *("id", "name", "group", "config", "inputs", "outputs", "options", "value", "type"),
    *("configs", "actions", "tool", "component", "script", "String", "Json", "CREATE"),
    *("deploy_action", "deploy_signal_id", "deploy_queue_id", "deploy_auth_url"),
    *("deploy_password", "deploy_stdout", "deploy_stderr", "deploy_status_code"),
    "http://user:password@host/path?Signature=0123456789abcdef",
]

# A deployment that can be run; each of its parts may be left out or be something else.
PARTS: dict[str, Any] = {
    "id": "c1",
    "name": "n1",
    "group": "component",
    "config": {"configs": [{"actions": ["CREATE"], "tool": "script", "config": "true"}]},
    "inputs": [{"name": "deploy_action", "value": "CREATE", "type": "String"}],
    "outputs": [{"name": "o", "error_output": True}],
    "options": {"timeout": 1},
}


def check_metadata(data: bytes) -> None:
    """Whatever the file of deployments holds is read or refused with one error."""
    try:
        asked = deployment.parse(data.decode("utf-8", "replace"))
    except deployment.MetadataError:
        return
    for each in asked:
        assert deployment.valid_id(each.id) == each.id
        json.dumps(each.item)
        signals.address(each.values)
        mask = Mask()
        mask.add(each.secrets)
        for secret in each.secrets:
            # White space at its ends does not count: four spaces stand in every other text.
            if len(secret.strip()) >= SHORTEST_SECRET:
                assert secret not in mask(f"<{secret}>")


def check_answer(data: bytes) -> None:
    """Whatever a hook prints becomes a result with a status code that fits."""
    status = data[0] if data else 0
    answer = result.from_hook(Completed(status, data[1:], data[:100]))
    message = json.loads(answer.fitted(LIMIT, "/log").as_json())
    assert len(answer.fitted(LIMIT, "/log").as_json()) <= LIMIT
    assert message["deploy_status_code"] is not None
    if status:
        assert str(message["deploy_status_code"]) != "0"


def check_message(data: bytes) -> None:
    """Whatever a queue's message holds is metadata that others can read, or is refused."""
    try:
        content = metadata.read(readable.loads(data))
    except (ValueError, metadata.UnusableError):
        return
    found = metadata.sources("zaqar", content, ["deployments"])
    assert found[0] == ("zaqar", content)
    for name, each in found:
        name.encode()
        json.dumps(each, ensure_ascii=False).encode()
    metadata.server_id(content)
    metadata.queue_id(content)


def check_entry(data: bytes) -> None:
    """Whatever an entry's file holds is an entry that can be written again, or is refused."""
    try:
        found, _ = entry.read(data, "c1")
    except (entry.DamagedError, entry.NewerError):
        return
    json.dumps(entry.as_dict(found))
    terminal.shown(found.problem)


def json_value(provider: atheris.FuzzedDataProvider, depth: int = 0) -> Any:
    """A JSON value with the names that deployments and results have."""
    kind = provider.ConsumeIntInRange(0, 8 if depth < 4 else 5)
    if kind == 0:
        return provider.ConsumeUnicode(20)
    if kind == 1:
        return provider.PickValueInList(WORDS)
    if kind == 2:
        return provider.ConsumeInt(8)
    if kind == 3:
        return provider.ConsumeBool()
    if kind in (4, 5):
        return None if kind == 4 else provider.ConsumeFloat()
    size = provider.ConsumeIntInRange(0, 6)
    if kind == 6:
        return [json_value(provider, depth + 1) for _ in range(size)]
    return {provider.PickValueInList(WORDS): json_value(provider, depth + 1) for _ in range(size)}


def item(provider: atheris.FuzzedDataProvider) -> dict[str, Any]:
    """A deployment, some of whose parts are not what they must be."""
    found = {}
    for name, part in PARTS.items():
        way = provider.ConsumeIntInRange(0, 3)
        if way:
            found[name] = json_value(provider) if way == 1 else part
    return found


def check(data: bytes) -> None:
    """Raw bytes, and JSON of the right shape, for both."""
    for each in (check_metadata, check_answer, check_message, check_entry):
        each(data)
    provider = atheris.FuzzedDataProvider(data)
    status = provider.ConsumeIntInRange(0, 3)
    made = [json_value(provider) for _ in range(2)]
    items = [*made, item(provider), item(provider)]
    check_metadata(json.dumps(items).encode())
    check_message(json.dumps({"deployments": items, "os-collect-config": made[0]}).encode())
    parts = {"id": "c1", "version": 1, "address": made[0], "message": made[1]}
    check_entry(json.dumps(parts).encode())
    for each in made:
        check_answer(bytes([status]) + json.dumps(each).encode())


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
