# SPDX-License-Identifier: Apache-2.0
"""Our service at its limits: posts at random moments, many rounds, many messages at once.

    python3 -m bench.latency [--posts N] [--rounds N] [--burst N] [PART…]

On a lab of its own. Each figure is a line ``name: value unit``. What is compared with others is in
``make bench``.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from bench import burst, rounds, waiting
from lab import Lab

PARTS = ("wait", "rounds", "burst")


def main() -> int:
    """Measure and print the figures."""
    options = _parser().parse_args()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Lab(folder / "lab", say=lambda _: None) as lab:
            if "wait" in options.parts:
                waiting.measure(lab, folder, options.posts)
            if "rounds" in options.parts:
                rounds.measure(lab, folder, options.rounds)
            if "burst" in options.parts:
                burst.measure(lab, folder, options.burst)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="From Heat's post to the hook.")

    def add(name: str, default: float, text: str) -> None:
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)

    add("posts", 50, "posts each way (%(default)s)")
    add("rounds", 10_000, "rounds at full speed (%(default)s)")
    add("burst", 1000, "messages at once (%(default)s)")
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
