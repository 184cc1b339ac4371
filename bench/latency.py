# SPDX-License-Identifier: Apache-2.0
"""How soon a server does what Heat asks for, and what waiting for it costs.

    python3 -m bench.latency [--runs N] [--peer-runs N] [--posts N] [--idle SECONDS] …

On labs of its own, with our service, and with os-collect-config 14.1.0 and heat-agents 13.0.0 on
a path on which these work (ZAQAR_MESSAGE in, HEAT_SIGNAL out); the chain with Heat's plug-in, too.
Each figure is a line
``name: value unit``, the last line says how many times as long one takes as another. It is run
with the Python of the tests; the peer is installed from the package index into .cache/bench.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from bench import burst, chains, quiet, waiting
from lab import Lab

PARTS = ("wait", "quiet", "rounds", "burst", "chain")


def main() -> int:
    """Measure and print the figures."""
    options = _parser().parse_args()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if "quiet" in options.parts:
            quiet.measure(folder / "quiet", options.idle, options.servers, options.settle)
        with Lab(folder / "lab", say=lambda _: None) as lab:
            if "wait" in options.parts:
                waiting.measure(lab, folder, options.posts)
            if "rounds" in options.parts:
                quiet.rounds(lab, folder, options.rounds)
            if "burst" in options.parts:
                burst.measure(lab, folder, options.burst)
            if "chain" in options.parts:
                runs = chains.contenders(options.runs, options.peer_runs)
                with Lab(folder / "plug-in", plugin=True, say=lambda _: None) as plugged:
                    chains.measure(lab, plugged, folder, runs)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="From Heat's post to the hook.")

    def add(name: str, default: float, text: str) -> None:
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)

    add("runs", 5, "chains of ours and of the floor's (%(default)s)")
    # One takes more than three minutes.
    add("peer-runs", 1, "chains of the peer's (%(default)s)")
    add("posts", 50, "posts each way (%(default)s)")
    add("idle", 300.0, "seconds in which nothing happens (%(default)s)")
    add("settle", 360.0, "seconds between the last change and that (%(default)s)")
    add("servers", 5, "servers of each way that are woken up then (%(default)s)")
    add("rounds", 10_000, "rounds at full speed (%(default)s)")
    add("burst", 1000, "messages at once (%(default)s)")
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
