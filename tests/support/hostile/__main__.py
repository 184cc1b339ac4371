# SPDX-License-Identifier: Apache-2.0
"""List the hostile inputs, and count them: ``python -m tests.support.hostile``."""

from __future__ import annotations

from tests.support.deployments import script, to
from tests.support.hostile import answers, deployments, messages, on_disk, outputs, settings


def names() -> dict[str, list[str]]:
    """The names of all inputs, by the way they come in."""
    good = script("true", inputs=to("http://127.0.0.1/c1"))
    parts = deployments.inputs(good)
    return {
        "deployment": [f"{part}: {name}" for part, found in parts.items() for name in found],
        "message": list(messages.INPUTS),
        "answer": list(answers.INPUTS),
        "setting": list(settings.inputs()),
        "hook's output": list(outputs.INPUTS),
        "file on disk": list(on_disk.inputs()),
    }


if __name__ == "__main__":
    found = names()
    for kind, listed in found.items():
        print(f"{kind} ({len(listed)}): {', '.join(listed)}")
    print(f"hostile inputs: {sum(map(len, found.values()))}")
