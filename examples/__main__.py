# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m examples FOLDER [WORD…]``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from examples import chosen, table
from examples.play import Example, Outcome
from lab import Lab
from lab.image import build_tar, unpack
from lab.stack import Heat

# Templates at a time.
JOBS = 3


def main() -> int:
    """Run the templates, and print the table; 1 unless all have ended as they must."""
    options = _options()
    found = chosen.templates(options.folder)
    wanted = [path for path in found if all(word in path.stem for word in options.words)]
    left = [path for path in wanted if path.stem in chosen.CANNOT]
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    root = unpack(build_tar(elements=["cloud-init", *chosen.ELEMENTS]))
    with tempfile.TemporaryDirectory(prefix="examples-") as name:
        outcomes = play([path for path in wanted if path not in left], root, Path(name))
    for path in left:
        print(table.left_out(path))
    print(table.summary(outcomes, len(left), time.monotonic() - began), flush=True)
    return 0 if outcomes and all(table.passed(*each) for each in outcomes.items()) else 1


def play(paths: Sequence[Path], root: Path, folder: Path) -> dict[str, Outcome]:
    """Play them on a control plane of their own, and print the row of each when it has ended."""
    outcomes: dict[str, Outcome] = {}
    with Lab(folder / "lab") as lab, ThreadPoolExecutor(JOBS) as pool:
        examples = {
            pool.submit(
                Example(Heat(lab.environment()), root, path, folder / path.stem).play
            ): path.stem
            for path in paths
        }
        print(table.HEADER, flush=True)
        for done in as_completed(examples):
            name = examples[done]
            outcomes[name] = done.result()
            print(table.row(name, outcomes[name]), flush=True)
    return outcomes


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="examples", description="openstack/heat-templates' examples on this agent."
    )
    parser.add_argument("folder", type=Path, help="its hot/software-config/example-templates")
    parser.add_argument("words", nargs="*", help="only templates whose name has all of these")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
