# SPDX-License-Identifier: Apache-2.0
"""What many deployments in one run cost beyond their hooks, and how that grows.

    python3 -m bench.many [--counts N,N,...]

Each count of deployments is run by one run of the agent, with a hook that does nothing, on the
disk of .cache. What the hook itself takes is measured in the same minute: as many starts of it
by the same function, without the agent. Printed is what the agent adds to each deployment.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

from bench.contenders import places
from bench.figures import show
from bench.peer import CACHE
from heat_config import process, settings
from heat_config.run import loop

HOOK = """#!/bin/sh
cat > /dev/null
echo '{"deploy_status_code": 0}'
"""


def main() -> int:
    """Measure each count and print the figures."""
    parser = argparse.ArgumentParser(description="Many deployments in one run.")
    parser.add_argument("--counts", default="200,400,800", help="(default: %(default)s)")
    counts = [int(text) for text in parser.parse_args().counts.split(",")]
    added = {count: measure(CACHE / "many", count) for count in counts}
    for count, seconds in added.items():
        show(f"{count} deployments, beyond the hook, each", seconds * 1000, "ms")
    first, last = counts[0], counts[-1]
    show(f"each of {last} / each of {first}", added[last] / added[first], "times")
    return 0


def measure(folder: Path, count: int) -> float:
    """The seconds that the agent adds to each of so many deployments."""
    shutil.rmtree(folder, ignore_errors=True)
    hook = folder / "hooks" / "script"
    hook.parent.mkdir(parents=True)
    hook.write_text(HOOK)
    hook.chmod(0o755)
    given = server(folder)
    items = [deployment(number) for number in range(count)]
    Path(given.config_file).write_text(json.dumps(items))
    begun = time.perf_counter()
    status = loop.run(given)
    taken = time.perf_counter() - begun
    if status != loop.DONE:
        raise RuntimeError(f"the run ended with {status}")
    begun = time.perf_counter()
    for item in items:
        process.run([hook], stdin=json.dumps(item).encode())
    return (taken - (time.perf_counter() - begun)) / count


def server(folder: Path) -> settings.Settings:
    """Settings of a server below a folder."""
    return settings.load(places(folder))


def deployment(number: int) -> dict[str, Any]:
    """One that nobody waits for: nothing is sent."""
    return {"id": f"config-{number}", "name": f"n{number}", "group": "script", "config": "x"}


if __name__ == "__main__":
    raise SystemExit(main())
